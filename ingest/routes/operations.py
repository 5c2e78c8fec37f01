"""For whoever runs it: alive, ready, metrics (contract §7)."""

import asyncio
from collections.abc import Awaitable
from functools import partial

from ingest.http.endpoint import ANYONE, Call, endpoint
from ingest.http.response import Answer
from ingest.models.requests import Nothing
from ingest.models.responses import Alive, Ready
from ingest.services import Services
from storage.model.errors import TryLater
from storage.postgres.database import missing_migrations
from storage.process.metrics_export import CONTENT_TYPE

# A probe asks every few seconds and gives up after a few.
_PATIENCE_SECONDS = 2.5


@endpoint("GET", "/healthz", callers=ANYONE, answer=Alive)
async def tell_alive(_call: Call[None, Nothing, Nothing]) -> Answer:
    """Whether the process runs."""
    return Answer(Alive())


@endpoint("GET", "/readyz", callers=ANYONE, answer=Ready)
async def tell_ready(call: Call[None, Nothing, Nothing]) -> Answer:
    """Whether it can take work: database (up to date), broker and bus answer, and the bus takes writes.

    As it was at most half a second ago.
    """
    away = await call.services.readiness.away(partial(_away, call.services))
    if away:
        raise TryLater(f"Not ready: {', '.join(away)} away or not up to date.")
    return Answer(Ready("ok", "ok", "ok"))


@endpoint("GET", "/metrics", callers=ANYONE, answer=str, media_type=CONTENT_TYPE)
async def show_metrics(call: Call[None, Nothing, Nothing]) -> Answer:
    """What the process measures, for Prometheus."""
    return Answer(call.services.telemetry.exposed(), media_type=CONTENT_TYPE)


ROUTES = (tell_alive, tell_ready, show_metrics)


async def _away(services: Services) -> list[str]:
    found = await asyncio.gather(*map(_answers, _checks(services)))
    parts = dict(zip(("database", "broker", "bus"), found, strict=True))
    return [name for name, is_there in parts.items() if not is_there]


def _checks(services: Services) -> tuple[Awaitable[bool], ...]:
    return (
        _is_up_to_date(services),
        asyncio.to_thread(services.pipes.doorbell.reachable),
        _has_bus(services),
    )


async def _answers(check: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await check
    except (TryLater, TimeoutError):
        return False


async def _is_up_to_date(services: Services) -> bool:
    return not await services.pipes.shares.probes.run(missing_migrations)


async def _has_bus(services: Services) -> bool:
    await services.pipes.bus.probe()
    return True
