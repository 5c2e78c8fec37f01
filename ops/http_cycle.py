"""What a request and its response see of their connection: its flow, its end, and 100 Continue.

Parts of `http_protocol.py`, put in the place of uvicorn's own.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from ops import http_answers


class Flow(FlowControl):
    """Reading stays paused while as many requests wait as may, whatever an app asks for."""

    is_full = False

    def resume_reading(self) -> None:
        """Read on, if there is room."""
        if not self.is_full:
            super().resume_reading()


class Writer:
    """The transport as a response sees it: the same, but closing is up to the protocol."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class Cycle(RequestResponseCycle):
    """One request and its response."""

    async def send_500_response(self) -> None:
        """Answer what an app did not (contract §0: no text but JSON)."""
        await http_answers.respond(500, self.send)  # type: ignore[arg-type]


class ExpectingCycle(Cycle):
    """The client waits for 100 Continue before it sends the body (RFC 9110 §10.1.1)."""

    async def send(self, message: Any) -> None:
        """Send; an answer without the body having been asked for ends the connection.

        The client may send the body all the same, or not: only an end tells the two apart.
        """
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False
        await super().send(message)
