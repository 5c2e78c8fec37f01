"""What a server answers when no app is asked: requests that cannot be read, and connections too many.

The one place of these answers' form (contract §0): `{"detail": …}` and X-Request-Id. Used by
`protocol.py` only; apps have their own tables.
"""

import json
import logging
import secrets
import time
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from storage.process import open_files

DETAILS = {
    400: "This is not an HTTP/1.1 request that can be read.",
    405: "This server is no proxy.",
    408: "The head of the request did not arrive in time.",
    431: "The head of the request is longer than 64 KiB.",
    503: "There are too many connections; try again after Retry-After seconds.",
}
RETRY_AFTER = "2"
WARN_EVERY_SECONDS = 10.0

Headers = list[tuple[bytes, bytes]]

_log = logging.getLogger(__name__)


def answer(status: int) -> tuple[Headers, bytes]:
    """Headers and body of the answer with this status; the connection ends after it."""
    body = json.dumps({"detail": DETAILS[status]}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", secrets.token_hex(16).encode()),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", RETRY_AFTER.encode()))
    return headers, body


def as_bytes(status: int) -> bytes:
    """The same as it goes over the wire."""
    headers, body = answer(status)
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b": ".join(pair) for pair in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def over_capacity(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An ASGI app in place of the real one, for connections that there is no room for."""
    headers, body = answer(503)
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Crowd:
    """Says in the log that there is no room, now and then."""

    def __init__(self) -> None:
        self._warned_at = float("-inf")

    def warn(self, connections: int) -> None:
        """There are so many connections, and no room for more."""
        now = time.monotonic()
        if now - self._warned_at > WARN_EVERY_SECONDS:
            self._warned_at = now
            limit = open_files.limit()
            _log.error(
                "There are %d connections and no room for more: this process may have %d files open.",
                connections,
                limit,
            )


CROWD = Crowd()
