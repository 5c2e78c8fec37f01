"""The outermost layer of the process: names every request, measures it, and catches what nobody did."""

import logging
import secrets
import time
from collections.abc import Awaitable, Mapping
from itertools import count, repeat

from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.http import errors
from ingest.metrics import IngestMetrics
from storage.model.origin import is_sane_request_id
from storage.process.logs import REQUEST_ID
from storage.process.tracing import TRACEPARENT, RequestSpan, Tracer

_HEADER = b"x-request-id"
# One label for all that is not ours, or a scanner would make a series of every path it tries.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

_log = logging.getLogger(__name__)


class RequestContextMiddleware:
    """Pure ASGI. Every answer carries X-Request-Id (the caller's, if sane; contract §0).

    `scope["origin"]` is the text of the request's Origin, for what it sends to be followed by;
    `scope["header_values"]` its headers by lower-case name, of a repeated one the last.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: IngestMetrics, tracing: Tracer | None = None
    ) -> None:
        self._app = app
        self._tracing = tracing
        self._metrics = metrics
        # A random name for this process and a number: a random name for each request costs more.
        self._numbered = zip(repeat(secrets.token_hex(6).encode()), count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at what comes back."""
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
        span = self._begin(scope, headers)
        scope["origin"] = name if span is None else f"{name} {span.traceparent}"
        began = time.perf_counter()
        status = 0

        def named(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id)]
            return send(message)

        try:
            await self._app(scope, receive, named)
        except HTTPException as error:
            # What Starlette's own parts say so, such as StaticFiles: they leave it to a Starlette.
            if not status:
                await errors.respond_to_http_exception(error)(scope, receive, named)
        except Exception:  # noqa: BLE001 (the top of the process)
            _log.exception("Request %s failed: %s", name, _template(scope))
            if not status:
                await errors.respond_to_unforeseen()(scope, receive, named)
        finally:
            self._note(scope, status=status, seconds=time.perf_counter() - began)
            if span is not None:
                span.end(f"{scope['method']} {_template(scope)}", status=status)

    def _request_id(self, headers: Mapping[bytes, bytes]) -> bytes:
        named = headers.get(_HEADER)
        if named is not None and is_sane_request_id(named):
            return named
        return b"%b-%x" % next(self._numbered)

    def _note(self, scope: Scope, *, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        template = _template(scope)
        self._metrics.count_request(template, method=method, status=status, seconds=seconds)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s %s: %d in %.1f ms", method, template, status, seconds * 1000)

    def _begin(self, scope: Scope, headers: Mapping[bytes, bytes]) -> RequestSpan | None:
        if self._tracing is None:
            return None
        sent = headers.get(TRACEPARENT.encode(), b"").decode("latin-1")
        return self._tracing.begin(scope["method"], traceparent=sent)


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "none"
