"""The ingest process: `uvicorn --factory ingest.app:create_app`.

The whole of it is on this page: what it reads, its routes, its one layer, and what lives as long as it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from itertools import groupby
from typing import Any

from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from ingest.console import app as console
from ingest.http import errors, openapi
from ingest.http.endpoint import Endpoint
from ingest.http.handler import RequestHandler
from ingest.http.middleware import RequestContextMiddleware
from ingest.metrics import Telemetry
from ingest.routes import ALL
from ingest.routes.documents import swagger_files
from ingest.services import SETTINGS, State, running
from storage.process import open_files
from storage.process.garbage_collector import freeze_startup_objects
from storage.process.logs import LogSettings, configure
from storage.process.metrics_export import join_shared_folder
from storage.process.tracing import tracing
from storage.settings import check, load

COLLECTOR_THRESHOLDS = (20_000, 50, 100)


def create_app(environ: Mapping[str, str] | None = None) -> RequestContextMiddleware:
    """The application, of these settings (None: the process environment). Nothing connects yet.

    Raises InvalidSettings naming all that is missing or malformed.
    """
    given = os.environ if environ is None else environ
    check(SETTINGS, given)
    if environ is None:
        configure(load(LogSettings, given), process="ingest")
    join_shared_folder()
    telemetry = Telemetry()
    traces = tracing(given, process="ingest")

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[State]:
        async with running(given, telemetry=telemetry) as services:
            freeze_startup_objects(thresholds=COLLECTOR_THRESHOLDS)
            open_files.allow_all()
            yield {"services": services, "document": cache(partial(openapi.document, ALL))}
        if traces is not None:
            await asyncio.to_thread(traces.close)

    # A router and not a Starlette: its two layers for errors are not free, and every error
    # is an answer here already. A redirect drops bodies and headers in some clients (contract §0).
    router = Paths(
        [
            *routes(ALL),
            Mount("/docs/files", swagger_files(), name="swagger files"),
            *console.routes(),
        ],
        redirect_slashes=False,
        default=errors.no_such_path,
        lifespan=lifespan,
    )
    return RequestContextMiddleware(router, telemetry=telemetry, tracing=traces)


class Paths(Router):
    """Starlette's router, after one look for a path of ours without parameters.

    Going through the routes one by one, and their layers, costs every send (docs/performance.md, Accepting).
    """

    def __init__(self, routes: Sequence[BaseRoute], **options: Any) -> None:
        super().__init__(routes, **options)
        self._fixed = {
            route.path: (route, route.app)
            for route in routes
            if isinstance(route, Route)
            and isinstance(route.app, Methods)
            and not route.param_convertors
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Pass the request to its path's endpoints."""
        fixed = self._fixed.get(scope["path"]) if scope["type"] == "http" else None
        if fixed is None or scope.get("root_path"):
            # Makes Starlette's routes raise HTTPException, for `RequestContextMiddleware`, and not answer as text.
            scope["app"] = self
            return super().__call__(scope, receive, send)
        scope["route"], methods = fixed
        scope["path_params"] = {}
        return methods(scope, receive, send)


class Methods:
    """One path's endpoints, by method."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.doors = {endpoint.method: RequestHandler(endpoint) for endpoint in endpoints}
        if "GET" in self.doors:
            self.doors["HEAD"] = self.doors["GET"]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Pass the request to its method's door; 405 if it has none."""
        door = self.doors.get(scope["method"]) or errors.no_such_method(self.doors)
        return door(scope, receive, send)


def routes(endpoints: Sequence[Endpoint]) -> list[BaseRoute]:
    """A route for each path, fixed paths before those with parameters, slash and no slash alike."""
    by_path = sorted(endpoints, key=_most_asked_first)
    found: list[BaseRoute] = []
    for path, same in groupby(by_path, key=lambda endpoint: endpoint.path):
        methods = Methods(list(same))
        alike = [path, path.rstrip("/")] if path.endswith("/") else [path]
        found += [Route(one, methods) for one in alike]
    return found


def _most_asked_first(endpoint: Endpoint) -> tuple[bool, bool, str]:
    return ("{" in endpoint.path, "/messages" not in endpoint.path, endpoint.path)
