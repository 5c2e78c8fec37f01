"""An answer on its way out: what a handler returns, and how it becomes bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

Header = tuple[str, str]

JSON = "application/json"
# Contract §0: what is personal is nobody else's to keep; so is everything that does not say otherwise.
_PRIVATE = (b"cache-control", b"private, no-store")


# Not frozen: making a frozen one takes far longer, and there is one a request.
@dataclass(slots=True)
class Response:
    """A status, headers and a body: `content` is a JSON shape, bytes as they are, or None for no body.

    An ASGI application of its own, so that Starlette takes it for a response.
    """

    content: Any = None
    status: int = 200
    headers: Sequence[Header] = ()
    media_type: str = JSON

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        body = self.encoded()
        headers = [_PRIVATE]
        if self.headers:
            headers = [_encoded(header) for header in self.headers]
            if all(name != _PRIVATE[0] for name, _ in headers):
                headers.append(_PRIVATE)
        if self.content is not None:
            headers.append(_content_type(self.media_type))
        if self.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(body)))
        # Answers of one batch are all made before the first is written: their clients are woken once
        # and stay awake, where a write that wakes somebody costs several others
        # (docs/decisions/0005-group-commit.md).
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def encoded(self) -> bytes:
        """The body's bytes."""
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else orjson.dumps(self.content)


def _encoded(header: Header) -> tuple[bytes, bytes]:
    name, value = header
    return name.lower().encode("latin-1"), value.encode("latin-1")


@cache
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return _encoded(("content-type", media_type))
