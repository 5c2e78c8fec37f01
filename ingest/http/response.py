"""What a route returns, and how it becomes bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

Header = tuple[str, str]

JSON = "application/json"
# Contract §0: what is personal may not be cached; so is every response that does not say otherwise.
_PRIVATE = (b"cache-control", b"private, no-store")


# Not frozen: a frozen one takes far longer to make, and each request makes one (docs/performance.md, Accepting).
@dataclass(slots=True)
class Response:
    """A status, headers and a body: `content` is anything that orjson writes, bytes as they are, or None for no body.

    It is an ASGI application, as Starlette's responses are.
    """

    content: Any = None
    status: int = 200
    headers: Sequence[Header] = ()
    media_type: str = JSON

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response."""
        body = self.encode_body()
        headers = [_PRIVATE]
        if self.headers:
            headers = [_encode_header(header) for header in self.headers]
            if all(name != _PRIVATE[0] for name, _ in headers):
                headers.append(_PRIVATE)
        if self.content is not None:
            headers.append(_content_type_header(self.media_type))
        if self.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(body)))
        # All responses of a batch are made before the first is written, because a write that wakes its client costs
        # as much as several that do not (docs/decisions/0005-group-commit.md).
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def encode_body(self) -> bytes:
        """The bytes of the body; empty without content."""
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else orjson.dumps(self.content)


def _encode_header(header: Header) -> tuple[bytes, bytes]:
    name, value = header
    return name.lower().encode("latin-1"), value.encode("latin-1")


@cache
def _content_type_header(media_type: str) -> tuple[bytes, bytes]:
    return _encode_header(("content-type", media_type))
