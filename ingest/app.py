"""The ingest process as an ASGI application: `uvicorn --factory ingest.app:create_app`.

This page puts it together: its settings, its routes, its middleware, and what is open as long as it runs.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from itertools import groupby

from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from ingest.console import app as console
from ingest.documents import openapi
from ingest.documents.gateway import SERVED_BY_GATEWAY
from ingest.http import errors
from ingest.http.endpoint import Endpoint
from ingest.http.handler import RequestHandler
from ingest.http.middleware import RequestContextMiddleware
from ingest.inbox import app as inbox
from ingest.metrics import IngestMetrics
from ingest.routes import ALL
from ingest.routes.documents import page_files, swagger_files
from ingest.services import SETTINGS, LifespanState, open_services
from storage.process import open_files
from storage.process.garbage_collector import freeze_startup_objects
from storage.process.logs import LogSettings, configure
from storage.process.metrics_export import join_shared_folder
from storage.process.tracing import make_tracer
from storage.settings import OriginSettings, check, load

COLLECTOR_THRESHOLDS = (20_000, 50, 100)
# What `/openapi.json` describes.
DOCUMENTED = (*ALL, *SERVED_BY_GATEWAY)


def create_app(environ: Mapping[str, str] | None = None) -> RequestContextMiddleware:
    """The application with the settings in `environ`; None: those of the process, which also configures its log.

    Nothing connects before the lifespan begins. Raises InvalidSettings, which names every setting that is missing or
    malformed.
    """
    given = os.environ if environ is None else environ
    check(SETTINGS, given)
    if environ is None:
        configure(load(LogSettings, given), process="ingest")
    join_shared_folder()
    metrics = IngestMetrics()
    traces = make_tracer(given, process="ingest")
    origins = load(OriginSettings, given).allowed

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[LifespanState]:
        async with open_services(given, metrics=metrics) as services:
            freeze_startup_objects(thresholds=COLLECTOR_THRESHOLDS)
            open_files.raise_limit()
            yield {
                "services": services,
                "document": cache(partial(openapi.build_document, DOCUMENTED)),
                "mounted": frozenset(getattr(route, "path", "") for route in router.routes),
                "allowed_origins": origins,
            }
        if traces is not None:
            await asyncio.to_thread(traces.close)

    # A router and not a Starlette: that has two layers of its own for errors, and every error is a response here
    # already. No redirects: they drop bodies and headers in some clients (contract §0).
    router = Router(
        [
            *build_routes((*ALL, *inbox.list_endpoints(given))),
            Mount("/docs/files", swagger_files(), name="swagger files"),
            Mount("/docs/static", page_files(), name="files of the pages"),
            *console.routes(),
            *inbox.list_files(given),
        ],
        redirect_slashes=False,
        default=errors.not_found,
        lifespan=lifespan,
    )
    return RequestContextMiddleware(router, metrics=metrics, origins=origins, tracing=traces)


class MethodRouter:
    """An ASGI application: one path's endpoints, by method. HEAD is GET; the server leaves the body out."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._handlers = {endpoint.method: RequestHandler(endpoint) for endpoint in endpoints}
        if "GET" in self._handlers:
            self._handlers["HEAD"] = self._handlers["GET"]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request to the handler of its method; 405 if there is none."""
        handler = self._handlers.get(scope["method"])
        if handler is None:
            return errors.method_not_allowed(self._handlers)(scope, receive, send)
        return handler(scope, receive, send)


def build_routes(endpoints: Sequence[Endpoint]) -> list[BaseRoute]:
    """A route for each path of these endpoints, and one without the slash for each path that ends in one.

    Fixed paths come before those with parameters, and those of messages first, because routes are tried in order.
    """
    by_path = sorted(endpoints, key=_order_in_router)
    routes: list[BaseRoute] = []
    for path, same in groupby(by_path, key=lambda endpoint: endpoint.path):
        methods = MethodRouter(list(same))
        spellings = [path, path.rstrip("/")] if path.endswith("/") and path != "/" else [path]
        routes += [Route(one, methods) for one in spellings]
    return routes


def _order_in_router(endpoint: Endpoint) -> tuple[bool, bool, str]:
    return ("{" in endpoint.path, "/messages" not in endpoint.path, endpoint.path)
