"""The outermost layer of the process: gives every request an id, measures it, and catches what nothing else caught.

It also answers browsers that ask whether a page of another origin may call (CORS). Starlette has a middleware for that:
it answers a preflight 200 and not 204, and costs every request, with an origin or without one, a look through all of
its headers (docs/decisions/0036-codes-and-origins.md).
"""

import logging
import secrets
import time
from collections.abc import Awaitable, Mapping
from itertools import count

from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http import errors
from ingest.metrics import IngestMetrics
from storage.model.cross_origin import NO_ORIGINS, PREFLIGHT_HEADERS, AllowedOrigins
from storage.model.origin import is_sane_request_id
from storage.process.logs import REQUEST_ID
from storage.process.tracing import TRACEPARENT, RequestSpan, Tracer

_HEADER = b"x-request-id"
# Every other method has one label, or a scanner would make a series of each that it tries.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

_log = logging.getLogger(__name__)


class RequestContextMiddleware:
    """ASGI middleware: every response carries X-Request-Id, the caller's own if it is sane (contract §0).

    It adds to the scope: `origin`, the text of the request's `storage.model.origin.Origin`, by which what it sends can
    be followed; `header_values`, its headers by lower-case name, of a repeated one the last.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: IngestMetrics,
        origins: AllowedOrigins = NO_ORIGINS,
        tracing: Tracer | None = None,
    ) -> None:
        """`origins`: whose pages may read the responses."""
        self._app = app
        self._origins = origins
        self._tracing = tracing
        self._metrics = metrics
        # Our ids are a random name of this process and a number: a random id for each request costs more.
        self._process_name = secrets.token_hex(6)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and measure what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # With an app in the scope, Starlette's routes raise HTTPException and do not answer 404 and 405 as text.
        scope["app"] = self
        headers: dict[bytes, bytes] = dict(scope["headers"])
        scope["header_values"] = headers
        request_id = self._request_id(headers)
        name = request_id.decode()
        REQUEST_ID.set(name)
        span = self._begin_span(scope, headers)
        scope["origin"] = name if span is None else f"{name} {span.traceparent}"
        began = time.perf_counter()
        status = 0
        app, added = self._app, [(_HEADER, request_id)]
        origin = headers.get(b"origin")
        if origin is not None:
            app = self._choose_app(scope, headers, origin=origin)
            added += self._origins.build_headers(origin)

        def send_with_id(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                errors.check_is_no_text(message)
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *added]
            return send(message)

        try:
            await app(scope, receive, send_with_id)
        except HTTPException as error:
            # Raised by Starlette's own parts, such as StaticFiles, which leave the response to an application.
            if not status:
                await errors.respond_to_http_exception(error)(scope, receive, send_with_id)
        except Exception:  # noqa: BLE001 (the top of the process)
            _log.exception("Request %s failed: %s", name, _template(scope))
            if not status:
                await errors.respond_to_unforeseen()(scope, receive, send_with_id)
        finally:
            self._record(scope, status=status, seconds=time.perf_counter() - began)
            if span is not None:
                span.end(f"{scope['method']} {_template(scope)}", status=status)

    def _choose_app(
        self, scope: Scope, headers: Mapping[bytes, bytes], *, origin: bytes
    ) -> ASGIApp:
        """The app, unless a browser only asks if a page of an allowed origin may make a request (a CORS preflight)."""
        is_preflight = (
            scope["method"] == "OPTIONS"
            and b"access-control-request-method" in headers
            and self._origins.allow(origin)
        )
        return _answer_preflight if is_preflight else self._app

    def _request_id(self, headers: Mapping[bytes, bytes]) -> bytes:
        sent = headers.get(_HEADER)
        if sent is not None and is_sane_request_id(sent):
            return sent
        return f"{self._process_name}-{next(self._numbers):x}".encode()

    def _record(self, scope: Scope, *, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        template = _template(scope)
        self._metrics.count_request(template, method=method, status=status, seconds=seconds)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s %s: %d in %.1f ms", method, template, status, seconds * 1000)

    def _begin_span(self, scope: Scope, headers: Mapping[bytes, bytes]) -> RequestSpan | None:
        if self._tracing is None:
            return None
        sent = headers.get(TRACEPARENT.encode(), b"").decode("latin-1")
        return self._tracing.begin(scope["method"], traceparent=sent)


async def _answer_preflight(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = list(PREFLIGHT_HEADERS)
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body"})


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "none"
