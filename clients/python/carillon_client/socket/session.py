"""The session of a person's socket without I/O: when to connect, with what, and what the frames mean.

`SocketSession.run` is a generator of steps, as the calls in `exchange.py` are: it is sent the token for a `TakeToken`,
`Opened` or an error for an `Open`, a frame's text or `Closed` for a `Receive`.
"""

import json
import logging
import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from carillon_client.errors import (
    CarillonError,
    NoAnswerError,
    NotCarillonError,
    NotSignedInError,
    SocketEndedError,
    TemporaryError,
)
from carillon_client.exchange import Item, Pause
from carillon_client.retries import Retries
from carillon_client.socket.events import SocketEvent, read_event

_TOKEN_EXPIRED = 4401
_RESTARTING = 1012
_RESTART_SECONDS = 5.0
_MEND_THE_CLIENT = frozenset({1007, 1008, 1009})
_FINAL = range(4500, 5000)

_log = logging.getLogger("carillon_client")


@dataclass(frozen=True, slots=True)
class TakeToken:
    """Get a token that is not `refused`."""

    refused: str | None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a WebSocket at `url` with the token."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The WebSocket is open."""


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the next frame."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The WebSocket is closed: `code` is 1006 if no close frame came."""

    code: int
    reason: str


Step = TakeToken | Open | Receive | Pause | Item[SocketEvent]
Answer = str | Opened | Closed | CarillonError | None


class SocketSession:
    """What one socket of a person knows. `position` is the `pos` of the last frame; None before the first."""

    def __init__(self, api_url: str, *, since: str | None, retries: Retries) -> None:
        self._url = api_url.replace("http", "ws", 1) + "/ws/messages"
        self._retries = retries
        self._tried = 0
        self._refused: str | None = None
        self._was_ready = False
        self.position = since
        self.is_ready = False
        self.clock_offset = 0.0

    def run(self) -> Generator[Step, Any, None]:
        """Stay connected and give every event, each once, for as long as that can work; raises CarillonError if it cannot.

        Until the first HELLO it tries as often as `retries` say, and from then on for ever.
        """
        while True:
            self._tried += 1
            token = yield TakeToken(self._refused)
            since = f"?since={quote(self.position, safe='')}" if self.position else ""
            answer = yield Open(self._url + since, token)
            if isinstance(answer, CarillonError):
                pause = self._choose_pause_after_refusal(answer, token)
            else:
                closed = yield from self._receive()
                pause = self._choose_pause_after_close(closed, token)
            if pause:
                yield Pause(pause)

    def _receive(self) -> Generator[Step, Any, Closed]:
        """Give the events of one connection until it is closed."""
        while True:
            answer = yield Receive()
            if isinstance(answer, Closed):
                self.is_ready = False
                return answer
            frame = self._read_frame(answer)
            event = read_event(frame)
            if event is not None:
                yield Item(event)

    def _read_frame(self, text: str | bytes) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(text)
        self.position = frame.get("pos") or self.position
        if frame.get("type") == "HELLO":
            self.is_ready = self._was_ready = True
            self._refused = None
            self.clock_offset = frame["data"]["server_time_ms"] / 1000 - time.time()
        else:  # a server that closes right after HELLO is not asked again at once
            self._tried = 0
        return frame

    def _choose_pause_after_refusal(self, error: CarillonError, token: str) -> float:
        """Seconds until the next try; raises `error` if there is none."""
        if isinstance(error, NotSignedInError):
            if self._refused is not None:
                raise error
            self._refused = token
            return 0.0
        if not self._was_ready:
            pause = self._retries.choose_pause(error, tried=self._tried)
            if pause is None:
                raise error
        elif isinstance(error, TemporaryError | NotCarillonError):
            pause = (error.retry_after or 0.0) + self._retries.choose_jitter(self._tried)
        else:
            raise error
        _log.info("The socket was not opened (%s): again in %.1f s.", error, pause)
        return pause

    def _choose_pause_after_close(self, closed: Closed, token: str) -> float:
        """Seconds until the next try; raises SocketEndedError if there is none."""
        if closed.code in _MEND_THE_CLIENT or closed.code in _FINAL:
            raise SocketEndedError(
                f"The server ended the socket ({closed.code} {closed.reason}).",
                close_code=closed.code,
                reason=closed.reason,
            )
        if closed.code == _TOKEN_EXPIRED:
            self._refused = token
            if self._tried <= 1:
                return 0.0
        if closed.code == _RESTARTING:
            pause = random.uniform(0.0, _RESTART_SECONDS)  # noqa: S311 (no secret)
        else:
            pause = self._retries.choose_jitter(max(self._tried, 1))
        _log.info(
            "The socket was closed (%d %s): again in %.1f s.", closed.code, closed.reason, pause
        )
        return pause


def make_unreachable(error: Exception, url: str) -> NoAnswerError:
    """The error for a WebSocket that could not be opened."""
    place = url.partition("/api/")[0].replace("ws", "http", 1)
    why = str(error) or type(error).__name__
    found = NoAnswerError(f"{place} does not answer ({why}).", code="NO_ANSWER")
    found.__cause__ = error
    return found
