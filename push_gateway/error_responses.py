"""The gateway's HTTP errors, in the form that every error of Carillon has (contract §0, Errors).

Used by every HTTP endpoint and by the handshake. Codes and statuses stand in `storage/model/error_codes.py`.
"""

import json
import logging
import random
import secrets
from collections.abc import Iterable, Mapping

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from storage.model.cross_origin import (
    NO_ORIGINS,
    PREFLIGHT_HEADERS,
    AllowedOrigins,
    Headers,
)
from storage.model.error_codes import ErrorCode
from storage.model.errors import CarillonError, NotSignedIn, TransientError
from storage.model.http_status import retry_after_seconds
from storage.model.origin import is_sane_request_id
from storage.process.refusal_log import REFUSALS

_REQUEST_ID = "carillon.request_id"

log = logging.getLogger(__name__)


class JsonRoute(Route):
    """A path whose every answer has an X-Request-Id and what browsers want of other origins, and whose errors are JSON."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an exception that nobody caught is logged and answered 500."""
        is_begun = False
        request_id = find_request_id(scope)
        headers_of_origin = _build_headers_of_origin(scope)

        async def send_with_id(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                rest = [pair for pair in message["headers"] if pair[0] != b"x-request-id"]
                named = [*rest, (b"x-request-id", request_id.encode()), *headers_of_origin]
                message = {**message, "headers": named}
            await send(message)

        try:
            if _is_preflight(scope):
                await _answer_preflight(send_with_id)
            elif self.methods and scope["method"] not in self.methods:
                allow = {"Allow": ", ".join(sorted(self.methods))}
                answer = build_error_response(scope, ErrorCode.METHOD_NOT_ALLOWED, headers=allow)
                await answer(scope, receive, send_with_id)
            else:
                await self.app(scope, receive, send_with_id)
        except Exception:
            if is_begun:  # the connection is cut, and uvicorn logs it
                raise
            log.exception("Request %s failed: %s", request_id, self.path)
            await build_error_response(scope, ErrorCode.INTERNAL)(scope, receive, send_with_id)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI app for paths that no route matches: 404, to handshakes too."""
    answer = build_error_response(scope, ErrorCode.UNKNOWN_PATH)
    answer.raw_headers += _build_headers_of_origin(scope)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


def respond_to_error(error: CarillonError, connection: HTTPConnection) -> Response:
    """The HTTP answer to an error (contract §0); 500, and nothing of what it says, for one that is a fault of ours.

    Why somebody is not signed in is logged: the answer does not say it.
    """
    scope, headers = connection.scope, {}
    if error.code is ErrorCode.INTERNAL:
        return build_error_response(scope, ErrorCode.INTERNAL)
    if isinstance(error, NotSignedIn):
        REFUSALS.log(error, request_id=find_request_id(scope))
        headers["WWW-Authenticate"] = 'Bearer realm="carillon"'
    if isinstance(error, TransientError):
        # The random number spreads those who come back, and hides nothing.
        headers["Retry-After"] = str(retry_after_seconds(error, spread=random.random()))  # noqa: S311
    return build_error_response(scope, error.code, detail=error.detail, headers=headers)


def build_error_response(
    scope: Scope,
    code: ErrorCode,
    *,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response of an error, with its request's id in the body and the headers. Without `detail` the code's meaning is it."""
    request_id = find_request_id(scope)
    return JSONResponse(
        _make_body(code, detail or code.meaning, request_id),
        status_code=code.status,
        headers={**(headers or {}), "X-Request-Id": request_id},
    )


def encode_error_body(code: ErrorCode, detail: str, *, request_id: str) -> bytes:
    """The JSON body of an error, for responses that are made without Starlette."""
    return json.dumps(_make_body(code, detail, request_id)).encode()


def find_request_id(scope: Scope) -> str:
    """The id of the request or handshake of this scope: the caller's, or one that is made at the first call."""
    request_id: str | None = scope.get(_REQUEST_ID)
    if request_id is None:
        sent = [value for name, value in scope["headers"] if name == b"x-request-id"]
        request_id = choose_request_id(value.decode("latin-1") for value in sent[:1])
        scope[_REQUEST_ID] = request_id
    return request_id


def choose_request_id(sent: Iterable[str]) -> str:
    """The first usable X-Request-Id of those that the caller sent, else a new one (contract §0)."""
    for one in sent:
        if is_sane_request_id(one.encode("ascii", "replace")):
            return one
    return secrets.token_hex(16)


def _build_headers_of_origin(scope: Scope) -> Headers:
    origin = _find_header(scope, b"origin")
    return [] if origin is None else _find_allowed_origins(scope).build_headers(origin)


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if a page of an allowed origin may make a request (Fetch, CORS-preflight request)."""
    origin = _find_header(scope, b"origin")
    return (
        scope["method"] == "OPTIONS"
        and origin is not None
        and _find_header(scope, b"access-control-request-method") is not None
        and _find_allowed_origins(scope).allow(origin)
    )


async def _answer_preflight(send: Send) -> None:
    headers = list(PREFLIGHT_HEADERS)
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body"})


def _find_allowed_origins(scope: Scope) -> AllowedOrigins:
    origins: AllowedOrigins = scope.get("state", {}).get("allowed_origins", NO_ORIGINS)
    return origins


def _find_header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for one, value in scope["headers"] if one == name), None)


def _make_body(code: ErrorCode, detail: str, request_id: str) -> dict[str, str]:
    return {"detail": detail, "code": code.name, "request_id": request_id}
