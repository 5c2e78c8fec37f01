"""uvicorn's HTTP/1.1 protocol with a budget, so that one connection cannot hold up the others.

Given to uvicorn by `--http ops.http.protocol:HttpProtocol`; every HTTP process is started with it, and
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

from ops.http import answers
from ops.http import cycle as http_cycle
from ops.http.cycle import ExpectingCycle, Flow, UnreadCycle, Writer
from ops.http.heads import HEAD_END, end_of_heads, has_body, size_of, without_upgrade
from storage.process import open_files

MAX_HEAD_BYTES = 64 * 1024  # also of what is neither head nor body: chunks' extensions, trailers
MAX_PIPELINED = 16  # requests whose head was read and whose answer is not out
SLICE_BYTES = 16 * 1024  # parsed at a time,
TURN_CHUNKS = 2_000  # until so many chunks have come in one turn of the loop
FIRST_BYTE_SECONDS = 30.0
HEAD_SECONDS = 10.0  # from a head's first byte to its last
UNTAKEN_SECONDS = 60.0  # in which a client that has more than it may waiting takes none of it
CROWDED_SECONDS = 1.0  # for a connection that will be refused to say something

_log = logging.getLogger(__name__)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    # Slots: with more than thirty attributes a class's instances share no keys, and each costs more.
    __slots__ = (
        "_chunks",
        "_dropped",
        "_ends",
        "_fed",
        "_goes_on",
        "_has_moved",
        "_held",
        "_is_upgrade",
        "_timer",
        "_too_large",
        "_unfinished",
        "_untaken",
        "_whole",
        "_writer",
    )
    flow: Flow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._whole: object = None  # the scope whose head was read last; another: a head is coming
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
        room = open_files.room(len(self.connections))
        if room is not open_files.Room.ENOUGH:
            answers.CROWD.warn(len(self.connections))
            if room is open_files.Room.NONE:
                transport.abort()
                return
            # Answered when it has asked, or the answer would be lost with a reset.
            self.app = answers.over_capacity
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
            or data.count(HEAD_END) >= MAX_PIPELINED
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
        self._untaken = self.loop.call_later(UNTAKEN_SECONDS, self._give_up)

    def resume_writing(self) -> None:
        """It has taken most of it."""
        super().resume_writing()
        self._stop_untaken()

    # What the parser calls.

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        if self._timer is not None:
            self._stop_timer()
        if self._unfinished + self._fed > MAX_HEAD_BYTES:
            self._check_head()
        self._unfinished = 0
        self._has_moved = True
        self._whole = self.scope
        # Upgrades are decided in `_upgrade`; what comes behind the last request is nobody's.
        self._is_upgrade = self.parser.should_upgrade() or self._ends
        if self._is_upgrade:
            return
        HttpToolsProtocol.on_headers_complete(self)
        self.headers = []  # of trailers, which nobody sees
        self.cycle.transport = self._writer  # type: ignore[assignment]
        if self.expect_100_continue:
            self.cycle.__class__ = ExpectingCycle
        if self.pipeline:
            self.flow.is_full = True

    def on_body(self, body: bytes) -> None:
        """A part of a body came; nobody wants it if its request has been answered."""
        self._has_moved = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._has_moved = True
        self._chunks += 1

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._is_upgrade:
            return
        cycle = self.cycle
        if cycle.response_complete:
            self._dropped_rest()
        else:
            cycle.more_body = False
            cycle.message_event.set()

    # What a response calls.

    def on_response_complete(self) -> None:
        """An answer is out: go on with the next request, or drop the rest of this one."""
        self.flow.is_full = bool(self._held) or len(self.pipeline) > 1
        HttpToolsProtocol.on_response_complete(self)
        if self.transport.is_closing():
            return
        if self._held and not self.pipeline and not self._goes_on:
            self._unset_keepalive_if_required()
            self._parse_held()
        elif self.cycle.more_body and self.cycle.response_complete:
            if isinstance(self.cycle, ExpectingCycle) and not self.cycle.keep_alive:
                self._end()
                return
            self._dropped = getattr(self.cycle, "dropped", 0)
            self._start_timer(http_cycle.DROPPED_SECONDS / 2, self.transport.close)

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
        if not self._has_moved or self.scope is not self._whole or self.cycle.more_body:
            self._await_rest()

    def _parse_held(self) -> None:
        """Parse until the pipe is full, or others must have their turn; nothing is read until then."""
        data, self._held, start = self._held, b"", 0
        room, last_chunk = self._room(), self._chunks + TURN_CHUNKS
        while start < len(data) and room > 0 and self._chunks < last_chunk and not self._ends:
            end = end_of_heads(data, start, start + SLICE_BYTES, count=room)
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
        elif newest is not None and newest.more_body and self.scope is self._whole:
            if newest.response_complete:
                self._drop(self._fed)
            elif type(newest) is RequestResponseCycle:
                newest.__class__ = UnreadCycle
        elif self._timer is None:
            self._start_timer(HEAD_SECONDS, self._head_is_late)

    def _check_head(self) -> None:
        if len(self.url) + size_of(self.headers) > MAX_HEAD_BYTES:
            self._too_large = True
            raise ValueError  # for the parser to stop

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
        elif self._is_busy() or has_body(self.headers):
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
        head = b"%b %b HTTP/%b\r\n" % (method, self.url, version) + without_upgrade(self.headers)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head + rest)

    # Ends.

    def _refuse(self, status: int) -> None:
        """Parse nothing more: what was asked before is answered, what is wrong gets `status`."""
        _log.debug("A request was refused: %d.", status)  # as many as a stranger likes
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
        self.transport.write(answers.as_bytes(status))
        self._end()

    def _end(self) -> None:
        """Say that nothing more is answered, and drop what still comes, so that the last answer arrives."""
        self._ends = True
        self._held = b""
        self.pipeline.clear()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self._dropped = 0
        self._start_timer(http_cycle.DROPPED_SECONDS, self.transport.close)
        self.flow.is_full = False
        self.flow.resume_reading()

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

    def _give_up(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        """Let go of what would keep this object alive."""
        self._held = b""
        self._writer.shut()

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
