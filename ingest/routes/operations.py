"""For operators and their probes: whether the process is alive and ready, and its metrics (contract §7)."""

import asyncio
from collections.abc import Awaitable
from functools import partial

from ingest.http.endpoint import ANYONE, endpoint
from ingest.http.response import Response
from ingest.models.requests import Nothing
from ingest.models.responses import Alive, Ready
from ingest.services import Context, Services
from storage.model.error_codes import ErrorCode
from storage.model.errors import TransientError
from storage.postgres.schema import has_missing_migrations
from storage.process.metrics_export import CONTENT_TYPE

# Probes come every few seconds and give up after a few: the answer has to be there before.
_PATIENCE_SECONDS = 2.5


@endpoint("GET", "/healthz", callers=ANYONE, response=Alive)
async def tell_alive(_context: Context[None, Nothing, Nothing]) -> Response:
    """Whether the process runs."""
    return Response(Alive())


@endpoint("GET", "/readyz", callers=ANYONE, response=Ready)
async def tell_ready(context: Context[None, Nothing, Nothing]) -> Response:
    """Whether it can take work: database (up to date), broker and bus answer, and the bus takes writes.

    As it was at most half a second ago.
    """
    missing = await context.services.readiness.find_missing(
        partial(_find_missing, context.services)
    )
    if missing:
        raise TransientError(
            f"Not ready: {', '.join(missing)} away or not up to date.", code=ErrorCode.NOT_READY
        )
    return Response(Ready("ok", "ok", "ok"))


@endpoint("GET", "/metrics", callers=ANYONE, response=str, media_type=CONTENT_TYPE)
async def show_metrics(context: Context[None, Nothing, Nothing]) -> Response:
    """What the process measures, for Prometheus."""
    return Response(context.services.metrics.export(), media_type=CONTENT_TYPE)


ROUTES = (tell_alive, tell_ready, show_metrics)


async def _find_missing(services: Services) -> list[str]:
    found = await asyncio.gather(*map(_passes, _list_checks(services)))
    parts = dict(zip(("database", "broker", "bus"), found, strict=True))
    return [name for name, is_there in parts.items() if not is_there]


def _list_checks(services: Services) -> tuple[Awaitable[bool], ...]:
    return (
        _has_current_schema(services),
        asyncio.to_thread(services.backends.doorbell.is_reachable),
        _can_write_to_bus(services),
    )


async def _passes(check: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await check
    except (TransientError, TimeoutError):
        return False


async def _has_current_schema(services: Services) -> bool:
    return not await services.backends.shares.probes.transaction(has_missing_migrations)


async def _can_write_to_bus(services: Services) -> bool:
    await services.backends.bus.probe()
    return True
