"""The asynchronous shell of a person's socket."""

import asyncio
import contextlib
import ssl
import time
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from carillon_client.errors import CarillonError, SocketClosedError
from carillon_client.exchange import Item, Pause
from carillon_client.retries import Retries
from carillon_client.socket.connecting import make_options, read_close, read_refusal
from carillon_client.socket.events import SocketEvent
from carillon_client.socket.session import (
    Answer,
    Open,
    Opened,
    Receive,
    SocketSession,
    Step,
    TakeToken,
    make_unreachable,
)
from carillon_client.tokens import AsyncTokenSource


class AsyncPersonSocket:
    """A person's socket: in its `async with` block it stays connected, and `async for event in socket` gives every event once.

    When the block is entered it is open: what is read over REST from then on is not older than its events. It connects
    again for as long as that can work; a CarillonError ends it. `aclose` may be called by another task.
    """

    def __init__(
        self,
        api_url: str,
        tokens: AsyncTokenSource,
        *,
        since: str | None,
        retries: Retries,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._session = SocketSession(api_url, since=since, retries=retries)
        self._flow = self._session.run()
        self._step: Step = next(self._flow)
        self._tokens = tokens
        self._ssl = ssl_context
        self._connection: ClientConnection | None = None
        self._closing = asyncio.Event()
        self._pause_until: float | None = None

    @property
    def position(self) -> str | None:
        """Where another socket goes on (`since`): everything before it was given out here."""
        return self._session.position

    @property
    def is_connected(self) -> bool:
        """Whether the server has greeted, and the connection was open when it was last looked at."""
        return self._session.is_ready

    @property
    def clock_offset(self) -> float:
        """By how many seconds the server's clock is ahead of this machine's."""
        return self._session.clock_offset

    async def __aenter__(self) -> Self:
        try:
            while not self._session.is_ready:
                await self._advance()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SocketEvent:
        try:
            return await self.receive()
        except SocketClosedError:
            raise StopAsyncIteration from None

    async def receive(self) -> SocketEvent:
        """The next event. It may be cancelled, as by `asyncio.timeout`: nothing is lost by that.

        Raises SocketClosedError if `aclose` was called.
        """
        while not isinstance(self._step, Item):
            await self._advance()
        event = self._step.value
        self._step = next(self._flow)
        return event

    async def aclose(self) -> None:
        """Close the connection for good."""
        self._closing.set()
        if self._connection is not None:
            await self._connection.close()

    async def _advance(self) -> None:
        """Take one step. What is interrupted is taken again by the next call."""
        if self._closing.is_set():
            raise SocketClosedError("The socket is closed.", code="SOCKET_CLOSED")
        answer = await self._take(self._step)
        try:
            self._step = self._flow.send(answer)
        except CarillonError:
            await self.aclose()
            raise

    async def _take(self, step: Any) -> Answer:
        match step:
            case TakeToken(refused):
                return await self._tokens.take(refused)
            case Open(url, token):
                return await self._open(url, token)
            case Receive():
                return await self._receive()
            case Pause(seconds):
                await self._pause(seconds)
                return None
        raise AssertionError(step)

    async def _open(self, url: str, token: str) -> Opened | CarillonError:
        try:
            self._connection = await connect(url, **make_options(url, token, ssl_context=self._ssl))
        except InvalidStatus as error:
            return read_refusal(error)
        except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
            return make_unreachable(error, url)
        return Opened()

    async def _receive(self) -> Answer:
        assert self._connection is not None  # noqa: S101 (an Open comes before every Receive)
        try:
            return await self._connection.recv(decode=True)
        except ConnectionClosed as error:
            return read_close(error)

    async def _pause(self, seconds: float) -> None:
        if self._pause_until is None:
            self._pause_until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause_until - time.monotonic()):
                await self._closing.wait()
        self._pause_until = None
