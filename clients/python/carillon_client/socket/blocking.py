"""The blocking shell of a person's socket."""

import ssl
import threading
import time
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

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
from carillon_client.tokens import TokenSource


class PersonSocket:
    """A person's socket: in its `with` block it stays connected, and `for event in socket` gives every event once.

    When the block is entered it is open: what is read over REST from then on is not older than its events. It connects
    again for as long as that can work; a CarillonError ends it. `close` may be called by another thread.
    """

    def __init__(
        self,
        api_url: str,
        tokens: TokenSource,
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
        self._closing = threading.Event()
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

    def __enter__(self) -> Self:
        try:
            while not self._session.is_ready:
                self._advance(None)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SocketEvent:
        try:
            return self.receive()
        except SocketClosedError:
            raise StopIteration from None

    def receive(self, *, timeout: float | None = None) -> SocketEvent:
        """The next event. Raises TimeoutError if none came in `timeout` seconds; nothing is lost by that.

        Raises SocketClosedError if `close` was called. While it connects, it may take 10 seconds longer.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not isinstance(self._step, Item):
            self._advance(until)
        event = self._step.value
        self._step = next(self._flow)
        return event

    def close(self) -> None:
        """Close the connection for good."""
        self._closing.set()
        if self._connection is not None:
            self._connection.close()

    def _advance(self, until: float | None) -> None:
        """Take one step. What is interrupted is taken again by the next call."""
        if self._closing.is_set():
            raise SocketClosedError("The socket is closed.", code="SOCKET_CLOSED")
        answer = self._take(self._step, until)
        try:
            self._step = self._flow.send(answer)
        except CarillonError:
            self.close()
            raise

    def _take(self, step: Any, until: float | None) -> Answer:
        match step:
            case TakeToken(refused):
                return self._tokens.take(refused)
            case Open(url, token):
                return self._open(url, token)
            case Receive():
                return self._receive(until)
            case Pause(seconds):
                self._pause(seconds, until)
                return None
        raise AssertionError(step)

    def _open(self, url: str, token: str) -> Opened | CarillonError:
        try:
            # Entered, not called: of websockets 17.1 and later a bare call is deprecated.
            connecting = connect(url, **make_options(url, token, ssl_context=self._ssl))
            self._connection = connecting.__enter__()
        except InvalidStatus as error:
            return read_refusal(error)
        except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
            return make_unreachable(error, url)
        return Opened()

    def _receive(self, until: float | None) -> Answer:
        assert self._connection is not None  # noqa: S101 (an Open comes before every Receive)
        left = None if until is None else max(0.0, until - time.monotonic())
        try:
            return self._connection.recv(timeout=left, decode=True)
        except ConnectionClosed as error:
            return read_close(error)

    def _pause(self, seconds: float, until: float | None) -> None:
        if self._pause_until is None:
            self._pause_until = time.monotonic() + seconds
        end = self._pause_until if until is None else min(until, self._pause_until)
        is_closing = self._closing.wait(max(0.0, end - time.monotonic()))
        if end < self._pause_until and not is_closing:
            raise TimeoutError
        self._pause_until = None
