"""What a request and its response see of their connection: its flow, its end, and 100 Continue.

Parts of `protocol.py`, put in the place of uvicorn's own.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

DROPPED_BYTES = 32 * 1024 * 1024  # of a body that nobody wants (contract §0),
DROPPED_SECONDS = 5.0  # in this time, half of it before the answer;
PAUSE_SECONDS = 0.5  # who sends nothing for so long waits for the answer


class Flow(FlowControl):
    """Reading stays paused while as many requests wait as may, whatever an app asks for."""

    is_full = False

    def resume_reading(self) -> None:
        """Read on, if there is room."""
        if self.read_paused and not self.is_full:
            self.read_paused = False
            self._transport.resume_reading()


class Writer:
    """The transport as a response sees it: the same, but closing is up to the protocol."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing = transport.is_closing
        self.close = close

    def shut(self) -> None:
        """Drop what is still written: uvicorn tells only the newest request that its client has gone."""
        self.write, self.close = _drop, _do_nothing


def _drop(data: bytes) -> None:
    """Nobody is there to take it."""


def _do_nothing() -> None:
    """It is closed."""


class UnreadCycle(RequestResponseCycle):
    """A request whose body is still coming: an app that answers before it has read it does not want it."""

    dropped = 0
    """Bytes of the body that were read because nobody wanted them."""

    async def send(self, message: Any) -> None:
        """Send, but what is coming is read first, while it comes.

        Go's server, so Caddy, resets a client whose body it did not pass on, whatever we do afterwards.
        """
        if not self.response_started and self.more_body and not self.waiting_for_100_continue:
            await self._drop_body()
        await super().send(message)

    async def _drop_body(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + DROPPED_SECONDS / 2
        while self.more_body and not self.disconnected:
            if loop.time() > end or self.dropped > DROPPED_BYTES:
                break
            self.dropped += len(self.body)
            self.body.clear()
            self.message_event.clear()
            self.flow.resume_reading()
            patience = min(PAUSE_SECONDS, end - loop.time())
            timer = loop.call_later(patience, self.message_event.set)
            await self.message_event.wait()
            timer.cancel()
            if not self.body:  # nothing came: the client waits for the answer
                return
        self.body.clear()


class ExpectingCycle(UnreadCycle):
    """The client waits for 100 Continue before it sends the body (RFC 9110 §10.1.1)."""

    async def send(self, message: Any) -> None:
        """Send; an answer without the body having been asked for ends the connection.

        The client may send the body all the same, or not: only an end tells the two apart.
        """
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False
        await super().send(message)
