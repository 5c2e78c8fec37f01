"""The push gateway as an ASGI app: its routes, and what is open while it runs.

Started by `uvicorn --factory push_gateway.app:create_app --http ops.http.protocol:HttpProtocol
--ws push_gateway.websocket_protocol:FrameWebSocketProtocol`, or beside ingest by `ops/local/single_port.py`.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypedDict

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from push_gateway.authentication import Authenticator
from push_gateway.background_tasks import (
    cancel_all,
    check_connections,
    disconnect_disabled,
    maintain_bus,
    report_counts,
    start_tasks,
)
from push_gateway.error_responses import JsonRoute, not_found, respond_to_error
from push_gateway.feed import Feed
from push_gateway.gateway import READ_LIMIT, Gateway
from push_gateway.handshake import Handshake, refuse_plain_http
from push_gateway.metrics import GatewayMetrics
from push_gateway.settings import GatewaySettings, load_settings
from storage.keys.tokens import TokenVerifier
from storage.model.close_codes import CloseCode
from storage.model.cross_origin import AllowedOrigins
from storage.model.error_codes import ErrorCode
from storage.model.errors import TransientError
from storage.process import open_files
from storage.process.garbage_collector import freeze_startup_objects
from storage.process.logs import LogSettings, configure
from storage.process.metrics_export import CONTENT_TYPE, export_metrics, join_shared_folder
from storage.process.tracing import Tracer, make_tracer
from storage.settings import load
from storage.valkey.bus import AsyncBus
from storage.valkey.bus_reader import BusReader
from storage.valkey.gateway_reports import GatewayReports
from storage.valkey.push_questions import PushQuestions
from storage.valkey.strangers import Strangers
from storage.valkey.tickets import Tickets

PATH = "/api/v1/ws/messages"
FIRST_READ_SECONDS = 1.0
COLLECTOR_THRESHOLDS = (50_000, 20, 100)


class State(TypedDict):
    """What requests find in `request.state`."""

    handshake: Handshake
    # Of the server too, which answers before the app is asked (`ops/http/refusals.py`).
    allowed_origins: AllowedOrigins


def create_app(environ: Mapping[str, str] | None = None) -> Router:
    """The app; raises InvalidSettings at once. Nothing is opened before its lifespan begins."""
    given = os.environ if environ is None else environ
    if environ is None:
        configure(load(LogSettings, given), process="gateway")
    settings = load_settings(given)
    traces = make_tracer(given, process="gateway")
    verifier = TokenVerifier(settings.tokens)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[State]:
        freeze_startup_objects(thresholds=COLLECTOR_THRESHOLDS)
        open_files.raise_limit()
        async with _open_gateway(settings, verifier, traces) as handshake:
            yield {"handshake": handshake, "allowed_origins": handshake.origins}

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
        return respond_to_error(
            TransientError("Not ready: the bus is away.", code=ErrorCode.NOT_READY), request
        )
    return JSONResponse({"status": "ok", "bus": "ok"})


async def get_metrics(request: Request) -> Response:
    """What the process counts, for Prometheus."""
    handshake: Handshake = request.state.handshake
    return Response(export_metrics(handshake.metrics.registry), media_type=CONTENT_TYPE)


@asynccontextmanager
async def _open_gateway(
    settings: GatewaySettings, verifier: TokenVerifier, traces: Tracer | None
) -> AsyncIterator[Handshake]:
    join_shared_folder()
    metrics = GatewayMetrics(CollectorRegistry())
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
    gateways, questions = GatewayReports(settings.valkey), PushQuestions(settings.valkey)
    name = secrets.token_hex(8)
    tasks = start_tasks(
        feed.run(),
        check_connections(gateway),
        disconnect_disabled(gateway, bus),
        maintain_bus(bus, metrics),
        report_counts(gateways, questions, name, gateway),
    )
    await _wait_for_bus(feed)
    try:
        yield Handshake(
            gateway,
            authenticator,
            feed,
            metrics,
            origins=settings.origins.allowed,
            ticket_lifetime=settings.tickets.socket,
            buffer_bytes=settings.push.buffer_bytes,
        )
    finally:
        for connection in list(gateway.hub):  # those that the server has not told yet
            gateway.close(connection, CloseCode.RESTARTING)
        await cancel_all(tasks)
        with suppress(TransientError):  # then it is not heard of any more
            await gateways.forget(name)
        for pipe in (reader, bus, tickets, strangers, gateways, questions):
            await pipe.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)


async def _wait_for_bus(feed: Feed) -> None:
    """Let clients in once the bus is read: those who come back in a rush would be refused till then.

    Without a bus the process starts all the same, and says so (/readyz).
    """
    until = asyncio.get_running_loop().time() + FIRST_READ_SECONDS
    while (  # noqa: ASYNC110 (being live is a matter of time as much as of an event)
        not feed.is_live and asyncio.get_running_loop().time() < until
    ):
        await asyncio.sleep(0.005)
