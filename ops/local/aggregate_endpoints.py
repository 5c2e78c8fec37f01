"""Questions that both doors answer when they share a port: `/metrics` and `/readyz`.

Used by `ops/local/single_port.py`. Metrics are one text after the other (the doors' families have different
names); ready is who has no door that is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset({"/metrics", "/readyz"})


@dataclass(slots=True)
class AppResponse:
    """What one door answered."""

    start: Message
    body: bytes = b""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.start["status"])


async def send_aggregate(
    doors: Sequence[tuple[ASGIApp, Scope]],
    receive: Receive,
    send: Send,
    *,
    more_metrics: Callable[[], bytes],
) -> None:
    """Answer with the first door that is in trouble, else with what all say.

    `more_metrics`: those of processes without a door, the workers.
    """
    answers = [await _ask(app, scope, receive) for app, scope in doors]
    worst = max(answers, key=lambda answer: answer.status)
    body = worst.body
    if worst.status < 400 and doors[0][1]["path"] == "/metrics":  # noqa: PLR2004
        body = b"".join([*(answer.body for answer in answers), more_metrics()])
    lengthless = [pair for pair in worst.start["headers"] if pair[0].lower() != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    await send({**worst.start, "headers": [*lengthless, length]})
    await send({"type": "http.response.body", "body": body})


async def _ask(app: ASGIApp, scope: Scope, receive: Receive) -> AppResponse:
    answer = AppResponse({"type": "http.response.start", "status": 503, "headers": []})

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.start = message
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    # Without negotiation both answer in the same, plain form, and the texts can be joined.
    plain = [pair for pair in scope["headers"] if pair[0] not in {b"accept", b"accept-encoding"}]
    await app({**scope, "headers": plain}, receive, take)
    return answer
