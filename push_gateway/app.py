"""The push gateway as an ASGI app: its routes, and what is open while it runs.

Started by `uvicorn --factory push_gateway.app:create_app --http ops.http.protocol:HttpProtocol
--ws push_gateway.websocket_protocol:FrameWebSocketProtocol`, or beside ingest by `ops/local/single_port.py`.
"""

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import TypedDict

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from push_gateway.answers import JsonRoute, not_found, respond_to_error
from push_gateway.authentication import Authenticator
from push_gateway.feed import Feed
from push_gateway.gateway import READ_LIMIT, Gateway
from push_gateway.handshake import Handshake, refuse_plain_http
from push_gateway.metrics import Metrics
from push_gateway.settings import GatewaySettings, load_settings
from push_gateway.sockets.close_codes import CloseCode
from storage.keys.tokens import TokenVerifier
from storage.model.errors import TransientError
from storage.process import open_files
from storage.process.garbage_collector import freeze_startup_objects
from storage.process.logs import LogSettings, configure
from storage.process.metrics_export import CONTENT_TYPE, exposed, join_shared_folder
from storage.process.tracing import Tracing, tracing
from storage.settings import load
from storage.valkey.bus import AsyncBus, BusReader
from storage.valkey.event_json import SHARDS
from storage.valkey.gateway_reports import Gateways
from storage.valkey.strangers import Strangers
from storage.valkey.tickets import Tickets

PATH = "/api/v1/ws/messages"
CHECK_SECONDS = 1.0
REPORT_SECONDS = 1.0
MAINTENANCE_SECONDS = 1.0
ROUND_SECONDS = 8.0  # within which everyone here is asked after once
FIRST_READ_SECONDS = 1.0
CANCEL_AGAIN_SECONDS = 0.1
COLLECTOR_THRESHOLDS = (50_000, 20, 100)

log = logging.getLogger(__name__)


class State(TypedDict):
    """What requests find in `request.state`."""

    handshake: Handshake


def create_app(environ: Mapping[str, str] | None = None) -> Router:
    """The app; raises InvalidSettings at once. Nothing is opened before its lifespan begins."""
    given = os.environ if environ is None else environ
    if environ is None:
        configure(load(LogSettings, given), process="gateway")
    settings = load_settings(given)
    traces = tracing(given, process="gateway")
    verifier = TokenVerifier(settings.tokens)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[State]:
        freeze_startup_objects(thresholds=COLLECTOR_THRESHOLDS)
        open_files.allow_all()
        async with _open_gateway(settings, verifier, traces) as handshake:
            yield {"handshake": handshake}

    routes = [
        WebSocketRoute(PATH, WebSocketEndpoint()),
        JsonRoute(PATH, refuse_plain_http),
        JsonRoute("/api/v1/ws/tickets", issue_ticket, methods=["POST"]),
        JsonRoute("/healthz", get_health),
        JsonRoute("/readyz", get_readiness),
        JsonRoute("/metrics", get_metrics),
    ]
    # A router and not a Starlette, whose layers for errors cost a handshake a fifteenth: refusals are
    # answers here, and what nobody caught uvicorn logs and answers 500.
    return Router(routes, redirect_slashes=False, default=not_found, lifespan=lifespan)


class WebSocketEndpoint:
    """A client wants to be pushed to. An ASGI app of its own: no layer of Starlette's around it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one handshake."""
        handshake: Handshake = scope["state"]["handshake"]
        await handshake(WebSocket(scope, receive, send))


async def issue_ticket(request: Request) -> Response:
    """A client wants to open a socket without its token in the URL."""
    handshake: Handshake = request.state.handshake
    return await handshake.issue_ticket(request)


async def get_health(_: Request) -> Response:
    """Whether the process runs."""
    return JSONResponse({"status": "ok"})


async def get_readiness(request: Request) -> Response:
    """Whether clients may be sent here: the bus is being read."""
    handshake: Handshake = request.state.handshake
    if not handshake.feed.is_live:
        return respond_to_error(TransientError("Not ready: the bus is away."), request)
    return JSONResponse({"status": "ok", "bus": "ok"})


async def get_metrics(request: Request) -> Response:
    """What the process counts, for Prometheus."""
    handshake: Handshake = request.state.handshake
    return Response(exposed(handshake.metrics.registry), media_type=CONTENT_TYPE)


@asynccontextmanager
async def _open_gateway(
    settings: GatewaySettings, verifier: TokenVerifier, traces: Tracing | None
) -> AsyncIterator[Handshake]:
    join_shared_folder()
    metrics = Metrics(CollectorRegistry())
    gateway = Gateway(settings, metrics, traces)
    bus, tickets = (
        AsyncBus(settings.bus, settings.valkey),
        Tickets(settings.valkey, settings.tickets),
    )
    reader = BusReader(settings.valkey)
    feed = Feed(
        reader, gateway.bus_view, gateway.dispatcher.dispatch, limit=READ_LIMIT, metrics=metrics
    )
    strangers = Strangers(settings.valkey)
    authenticator = Authenticator(verifier, tickets, bus, strangers)
    gateways, name = Gateways(settings.valkey), secrets.token_hex(8)
    tasks = [
        asyncio.create_task(feed.run()),
        asyncio.create_task(_check_connections(gateway)),
        asyncio.create_task(_disconnect_disabled(gateway, bus)),
        asyncio.create_task(_maintain_bus(bus, metrics)),
        asyncio.create_task(_report(gateways, name, gateway)),
    ]
    for task in tasks:
        task.add_done_callback(_stop_if_failed)
    await _wait_for_bus(feed)
    try:
        yield Handshake(
            gateway,
            authenticator,
            feed,
            metrics,
            origins=settings.push.origins,
            ticket_lifetime=settings.tickets.socket,
            buffer_bytes=settings.push.buffer_bytes,
        )
    finally:
        for connection in list(gateway.hub):  # those that the server has not told yet
            gateway.close(connection, CloseCode.RESTARTING)
        await cancel_all(tasks)
        with suppress(TransientError):  # then it is not heard of any more
            await gateways.forget(name)
        for pipe in (reader, bus, tickets, strangers, gateways):
            await pipe.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until all of them have ended.

    Once is not enough before Python 3.12: `asyncio.wait_for`, with which redis-py writes, drops a
    cancellation that comes in the moment in which it is done, and the task would go on for ever.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_SECONDS)


async def _wait_for_bus(feed: Feed) -> None:
    """Let clients in once the bus is read: those who come back in a rush would be refused till then.

    Without a bus the process starts all the same, and says so (/readyz).
    """
    until = asyncio.get_running_loop().time() + FIRST_READ_SECONDS
    while (  # noqa: ASYNC110 (being live is a matter of time as much as of an event)
        not feed.is_live and asyncio.get_running_loop().time() < until
    ):
        await asyncio.sleep(0.005)


async def _check_connections(gateway: Gateway) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        gateway.close_expired_and_silent(now=time.time(), loop_now=loop.time())


async def _disconnect_disabled(gateway: Gateway, bus: AsyncBus) -> None:
    """Ask the bus after everyone who is connected, a shard at a time.

    A DISCONNECT can be lost with a restart of Valkey, or fall out of a full stream; and after a wipe the
    bus knows who is disabled only when the record has told it again.
    """
    for shard in cycle(range(SHARDS)):
        await asyncio.sleep(ROUND_SECONDS / SHARDS)
        if people := gateway.find_user_ids(shard):
            with suppress(TransientError):  # asked again with the next round
                gateway.disconnect_users(await bus.disabled_among(people))


async def _maintain_bus(bus: AsyncBus, metrics: Metrics) -> None:
    """Have the bus trimmed, and see whether Valkey takes writes.

    The workers' sweep does so too, but comes by a ring of beat's, which a full Valkey refuses.
    """
    was_writable = True
    while True:
        try:
            metrics.bus_bytes.set((await bus.tend()).bytes)
            await bus.probe()
        except TransientError as error:
            if was_writable:
                log.warning("Valkey takes no writes: %s", error.__cause__ or error.detail)
            was_writable = False
        else:
            was_writable = True
        metrics.bus_writable.set(was_writable)
        await asyncio.sleep(MAINTENANCE_SECONDS)


async def _report(gateways: Gateways, name: str, gateway: Gateway) -> None:
    """Tell whoever watches; nobody waits for it, and what was not told is told the next time."""
    while True:
        with suppress(TransientError):
            await gateways.report(name, gateway.collect_counts())
        await asyncio.sleep(REPORT_SECONDS)


def _stop_if_failed(task: asyncio.Task[None]) -> None:
    """A gateway without its feed would hold sockets and tell them nothing: better start again."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("A part of the gateway failed; it stops.", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
