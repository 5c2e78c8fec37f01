"""uvicorn's HTTP/1.1 protocol with a budget, so that one connection cannot hold up the others.

Given to uvicorn by `--http ops.http_protocol:HttpProtocol`; every HTTP process is started with it, and
no process imports it. `httptools` parses. What is bounded: bytes and time until a request's head is
whole, requests that wait in the pipe, what is read after an answer, and how long an answer may lie
untaken. Trailers are dropped: headers are those of the header section (contract §1). An `Upgrade` to
anything but a WebSocket is ignored (RFC 9110 §7.8).
"""

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ops import http_answers, http_cycle
from ops.http_cycle import Cycle, ExpectingCycle, Flow, UnreadCycle, Writer
from storage import descriptors

MAX_HEAD_BYTES = 64 * 1024  # also of what is neither head nor body: chunks' extensions, trailers
MAX_PIPELINED = 16  # requests whose head was read and whose answer is not out
SLICE_BYTES = 16 * 1024  # parsed at a time,
TURN_CHUNKS = 2_000  # until so many chunks (some 3 ms) have come in one turn of the loop
FIRST_BYTE_SECONDS = 30.0
HEAD_SECONDS = 10.0  # from a head's first byte to its last
UNTAKEN_SECONDS = 60.0  # in which a client that has more than it may waiting takes none of it
CROWDED_SECONDS = 1.0  # for a connection that will be refused to say something

_HEAD_END = b"\r\n\r\n"

_log = logging.getLogger(__name__)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    flow: Flow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = False
        self._is_upgrade = False
        self._ends = False  # nothing is parsed any more; what comes is dropped
        self._fed = 0  # bytes that are being parsed,
        self._has_moved = False  # and whether they completed anything
        self._chunks = 0
        self._unfinished = 0  # bytes since something was completed last
        self._held = b""  # not parsed yet: the pipe is full, or
        self._goes_on = False  # others have their turn first
        self._dropped = 0
        self._too_large = False
        self._timer: TimerHandle | None = None  # for a head, or for what is dropped
        self._untaken: TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected; it has a while to say something."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self._writer = Writer(transport, self._close_gently)
        patience = FIRST_BYTE_SECONDS
        room = descriptors.room(len(self.connections))
        if room is not descriptors.Room.ENOUGH:
            http_answers.CROWD.warn(len(self.connections))
            if room is descriptors.Room.NONE:
                transport.abort()
                return
            # Answered when it has asked, or the answer would be lost with a reset.
            self.app = http_answers.over_capacity
            self.ws_protocol_class = None
            patience = CROWDED_SECONDS
        self.timeout_keep_alive_task = self.loop.call_later(
            patience, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        """Bytes came: parse them, or as much of them as there is room in the pipe for."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if self._ends:
            self._drop(len(data))
        elif (
            len(data) > SLICE_BYTES
            or self._held
            or self.pipeline
            or data.count(_HEAD_END) >= MAX_PIPELINED
        ):
            self._held += data
            if not self._goes_on:
                self._parse_held()
        else:
            self._parse(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, one way or another."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._stop_untaken()
        self._forget()

    def pause_writing(self) -> None:
        """The client takes an answer more slowly than it is made."""
        super().pause_writing()
        self._stop_untaken()
        self._untaken = self.loop.call_later(UNTAKEN_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken most of it."""
        super().resume_writing()
        self._stop_untaken()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        if self._timer is not None:
            self._stop_timer()
        if self._unfinished + self._fed > MAX_HEAD_BYTES:
            self._check_head()
        self._unfinished = 0
        self._in_head = False
        self._has_moved = True
        # Upgrades are decided in `_upgrade`; what comes behind the last request is nobody's.
        self._is_upgrade = self.parser.should_upgrade() or self._ends
        if self._is_upgrade:
            return
        super().on_headers_complete()
        self.headers = []  # of trailers, which nobody sees
        cycle = self.cycle
        cycle.__class__ = ExpectingCycle if self.expect_100_continue else Cycle
        cycle.transport = self._writer  # type: ignore[assignment]
        if self.pipeline:
            self.flow.is_full = True

    def on_body(self, body: bytes) -> None:
        """A part of a body came."""
        self._has_moved = True
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._has_moved = True
        self._chunks += 1

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._is_upgrade:
            return
        super().on_message_complete()
        if self.cycle.response_complete:
            self._dropped_rest()

    # What a response calls.

    def on_response_complete(self) -> None:
        """An answer is out: go on with the next request, or drop the rest of this one."""
        self.flow.is_full = bool(self._held) or len(self.pipeline) > 1
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._held and not self.pipeline and not self._goes_on:
            self._unset_keepalive_if_required()
            self._parse_held()
        elif self.cycle.more_body and self.cycle.response_complete:
            self._dropped = getattr(self.cycle, "dropped", 0)
            self._start_timer(http_cycle.DROPPED_SECONDS / 2, self.transport.close)
            if isinstance(self.cycle, ExpectingCycle):
                self._say_end()

    def _close_gently(self) -> None:
        """Close after the last answer, but not before its request was read: a reset would overtake it."""
        if self._ends:
            self._end()
        elif not (self.cycle.more_body and self.cycle.response_complete):
            self.transport.close()

    # Parsing.

    def _parse(self, data: bytes) -> None:
        self._fed, self._has_moved = len(data), False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except HttpParserError:
            self._refuse(431 if self._too_large else 400)
            return
        if not self._has_moved or self._in_head or self.cycle.more_body:
            self._await_rest()

    def _parse_held(self) -> None:
        """Parse until the pipe is full, or others must have their turn; nothing is read until then."""
        data, self._held, start = self._held, b"", 0
        room, last_chunk = self._room(), self._chunks + TURN_CHUNKS
        while start < len(data) and room > 0 and self._chunks < last_chunk and not self._ends:
            end = _end_of_heads(data, start, start + SLICE_BYTES, count=room)
            self._parse(data[start:end])
            start, room = end, self._room()
        if self._ends:
            return
        self._held = data[start:]
        self._goes_on = bool(self._held) and room > 0
        if self._goes_on:
            self.loop.call_soon(self._go_on)
        was_full, self.flow.is_full = self.flow.is_full, bool(self._held or self.pipeline)
        if self.flow.is_full:
            self.flow.pause_reading()
        elif was_full and len(self.cycle.body) <= HIGH_WATER_LIMIT:
            self.flow.resume_reading()

    def _go_on(self) -> None:
        self._goes_on = False
        if self._held and not self._ends and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._parse_held()

    def _room(self) -> int:
        return MAX_PIPELINED - len(self.pipeline) - self._is_busy()

    def _await_rest(self) -> None:
        """What came ends within a request: that may not grow, nor last, without a bound."""
        newest = self._newest()
        self._unfinished = 0 if self._has_moved else self._unfinished + self._fed
        if self._unfinished > MAX_HEAD_BYTES:
            self._refuse(431)
        elif newest is not None and newest.more_body and not self._in_head:
            if newest.response_complete:
                self._drop(self._fed)
            elif type(newest) is Cycle:
                newest.__class__ = UnreadCycle
        elif self._timer is None:
            self._start_timer(HEAD_SECONDS, self._head_is_late)

    def _check_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self._too_large = True
            raise ValueError(size)  # for the parser to stop

    def _head_is_late(self) -> None:
        self._timer = None
        if self._is_busy():
            self._start_timer(HEAD_SECONDS, self._head_is_late)
        else:
            self._refuse(408)

    def _newest(self) -> RequestResponseCycle | None:
        """The request whose head was read last (uvicorn's types know no connection before the first)."""
        return self.cycle

    def _is_busy(self) -> bool:
        """Whether the newest request has not been answered."""
        newest = self._newest()
        return newest is not None and not newest.response_complete

    # Upgrades.

    def _upgrade(self, rest: bytes) -> None:
        """A request wants another protocol; `rest` came behind its head."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(405)
        elif self._get_upgrade() != b"websocket" or self.ws_protocol_class is None:
            self._decline_upgrade(method, rest)
        elif self._is_busy() or _has_body(self.headers):
            self._refuse(400)
        else:
            self._ends = True
            self.scope["method"] = method.decode("ascii")
            self.handle_websocket_upgrade()
            self.parser = None  # type: ignore[assignment]
            self._forget()

    def _decline_upgrade(self, method: bytes, rest: bytes) -> None:
        """Parse the head again without `Upgrade`: the parser takes a body behind it for something else.

        Java's HttpClient asks for h2c with every request; and what is no body would be a request.
        """
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % pair for pair in self.headers if pair[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(b"\r\n".join(lines) + _HEAD_END + rest)

    # Ends.

    def _refuse(self, status: int) -> None:
        """Parse nothing more: what was asked before is answered, what is wrong gets `status`."""
        _log.info("A request was refused: %d.", status)
        self._ends = True
        self._held = b""
        self._stop_timer()
        cycle = self._newest()
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            # The request that is wrong is this one: its app hears that the client has gone.
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.close()
                return
        self.transport.write(http_answers.as_bytes(status))
        self._end()

    def _end(self) -> None:
        """Say that nothing more is answered, and drop what still comes, so that the last answer arrives."""
        self._ends = True
        self._say_end()
        self._dropped = 0
        self._start_timer(http_cycle.DROPPED_SECONDS, self.transport.close)
        self.flow.is_full = False
        self.flow.resume_reading()

    def _say_end(self) -> None:
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > http_cycle.DROPPED_BYTES:
            self.transport.close()

    def _dropped_rest(self) -> None:
        """All of a request was read whose answer is out."""
        self._stop_timer()
        self.cycle.more_body = False
        if not self.cycle.keep_alive:
            self._ends = True  # what is behind it in the pipe is not answered
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _forget(self) -> None:
        """Let go of what would keep this object alive."""
        self._held = b""
        self._writer.close = self.transport.close

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_untaken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None


def _end_of_heads(data: bytes, start: int, end: int, *, count: int) -> int:
    """Where at most `count` heads have ended after `start`, or `end`; a body may hold what looks like one."""
    for _ in range(count):
        found = data.find(_HEAD_END, start, end)
        if found < 0:
            return end
        start = found + len(_HEAD_END)
    return start


def _has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )
