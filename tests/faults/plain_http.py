"""A keep-alive HTTP/1.1 connection with as little as it takes: the load must not cost what it measures."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any


class Broken(OSError):
    """The connection ended, or was silent, before the answer was whole: what happened is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Connection:
    """One connection to `host`:`port`, opened when needed, one request at a time."""

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        """`timeout`: seconds for a whole request."""
        self._address = (host, port)
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str], body: Any = None
    ) -> Reply:
        """Send one request, once, and return the answer. Raises Broken if it does not come whole, and in time."""
        payload = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(_head(method, path, headers, len(payload)) + payload)
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise Broken(type(error).__name__) from error

    async def _exchange(self, request: bytes) -> Reply:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): text.strip() for name, _, text in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(int(head[0].split(" ")[1]), headers, body)

    def close(self) -> None:
        """Drop it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _head(method: str, path: str, headers: dict[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: carillon.test", f"Content-Length: {length}"]
    lines += ["Content-Type: application/json"] if length else []
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
