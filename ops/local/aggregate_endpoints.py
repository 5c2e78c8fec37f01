"""`/metrics` and `/readyz` of apps that share a port: one response made of all of theirs.

Used by `ops/local/single_port.py`. Metrics are one text after the other: no two apps have a family of the same name. The
whole is ready when every app is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset({"/metrics", "/readyz"})


@dataclass(slots=True)
class AppResponse:
    """What one app answered: its `http.response.start` message and its body."""

    start: Message
    body: bytes = b""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.start["status"])


async def send_aggregate(
    apps: Sequence[tuple[ASGIApp, Scope]],
    receive: Receive,
    send: Send,
    *,
    more_metrics: Callable[[], bytes],
) -> None:
    """Ask each app, with the scope beside it, and send one response.

    It is the response with the highest status. If that is below 400 and the path is `/metrics`, its body is all bodies,
    one after the other, and then `more_metrics()`: those of processes that serve no HTTP, the workers.
    """
    responses = [await _ask(app, scope, receive) for app, scope in apps]
    worst = max(responses, key=lambda response: response.status)
    body = worst.body
    if worst.status < HTTPStatus.BAD_REQUEST and apps[0][1]["path"] == "/metrics":
        body = b"".join([*(response.body for response in responses), more_metrics()])
    other_headers = [
        pair for pair in worst.start["headers"] if pair[0].lower() != b"content-length"
    ]
    length = (b"content-length", str(len(body)).encode())
    await send({**worst.start, "headers": [*other_headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _ask(app: ASGIApp, scope: Scope, receive: Receive) -> AppResponse:
    response = AppResponse({"type": "http.response.start", "status": 503, "headers": []})

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.start = message
        elif message["type"] == "http.response.body":
            response.body += message.get("body", b"")

    # Without negotiation all apps answer in the same, plain form, and the texts can be joined.
    plain = [pair for pair in scope["headers"] if pair[0] not in {b"accept", b"accept-encoding"}]
    await app({**scope, "headers": plain}, receive, collect)
    return response
