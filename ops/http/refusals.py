"""What a server answers when no app is asked: requests that cannot be read, and connections too many.

The one place of these responses' form (contract §0, Errors). Used by `connection.py` and `protocol.py` only; the codes are
those of every error (`storage/model/error_codes.py`).
"""

import json
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope, Send

from storage.model.cross_origin import NO_ORIGINS, AllowedOrigins
from storage.model.error_codes import ErrorCode
from storage.process import open_files

_SAID = {
    400: (ErrorCode.BAD_REQUEST, ErrorCode.BAD_REQUEST.meaning),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "This server is no proxy."),
    408: (ErrorCode.REQUEST_TIMEOUT, "The head of the request did not arrive in time."),
    431: (ErrorCode.HEADERS_TOO_LARGE, "The head of the request is longer than 64 KiB."),
    503: (
        ErrorCode.TOO_MANY_CONNECTIONS,
        "There are too many connections; try again after Retry-After seconds.",
    ),
}
RETRY_AFTER = "2"
WARN_EVERY_SECONDS = 10.0

Headers = list[tuple[bytes, bytes]]

_log = logging.getLogger(__name__)


def build_refusal(
    status: int, state: Mapping[str, Any], sent: Iterable[tuple[bytes, bytes]]
) -> tuple[Headers, bytes]:
    """Headers and body of the response with this status, after which the connection ends.

    `state` is that of the app's lifespan, in which an app leaves its `allowed_origins`; `sent` are those of the
    request's headers that could be read. Without the headers for its origin a page would see no answer at all.
    """
    code, detail = _SAID[status]
    request_id = secrets.token_hex(16)
    content = {"detail": detail, "code": code.name, "request_id": request_id}
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", RETRY_AFTER.encode()))
    origin = next((value for name, value in sent if name == b"origin"), None)
    if origin is not None:
        origins: AllowedOrigins = state.get("allowed_origins", NO_ORIGINS)
        headers += origins.build_headers(origin)
    return headers, body


def encode_refusal(
    status: int, state: Mapping[str, Any], sent: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """The whole response with this status, as it goes over the wire; arguments as of `build_refusal`."""
    headers, body = build_refusal(status, state, sent)
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b": ".join(pair) for pair in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def refuse_over_capacity(scope: Scope, _receive: Receive, send: Send) -> None:
    """An ASGI app in the place of the real one, for connections over capacity: every request is answered 503."""
    headers, body = build_refusal(503, scope["state"], scope["headers"])
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class CapacityLog:
    """Says in the log that connections are refused, at most once in WARN_EVERY_SECONDS."""

    def __init__(self) -> None:
        self._warned_at = float("-inf")

    def warn(self, connections: int) -> None:
        """Say that there are so many connections, and no room for more."""
        now = time.monotonic()
        if now - self._warned_at > WARN_EVERY_SECONDS:
            self._warned_at = now
            limit = open_files.read_limit()
            _log.error(
                "There are %d connections and no room for more: this process may have %d files open.",
                connections,
                limit,
            )


CAPACITY_LOG = CapacityLog()
