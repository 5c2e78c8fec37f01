"""What a request and its response see of their connection: when it reads, and where they write. Used by `connection.py`.

Put in the place of uvicorn's flow control and of the transport.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class PipelineFlowControl(FlowControl):
    """Reading stays paused while as many requests wait as may, whatever an app asks for."""

    is_full = False

    def resume_reading(self) -> None:
        """Read on, if there is room for another request."""
        if self.read_paused and not self.is_full:
            self.read_paused = False
            self._transport.resume_reading()


class ResponseWriter:
    """The transport as a response sees it: the same, but closing is up to the connection."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing = transport.is_closing
        self.close = close

    def disconnect(self) -> None:
        """Drop what is still written: uvicorn tells only the newest request that its client has gone."""
        self.write, self.close = _drop, _do_nothing


def _drop(data: bytes) -> None:
    """Nobody is there to take it."""


def _do_nothing() -> None:
    """The connection is closed already."""
