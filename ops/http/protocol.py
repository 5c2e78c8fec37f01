"""uvicorn's HTTP/1.1 protocol with a budget, so that one connection cannot hold up the others.

Given to uvicorn by `--http ops.http.protocol:HttpProtocol`. Every HTTP process is started with it, and no process
imports it. `httptools` parses. What is bounded: the bytes and the time until a request's head is whole, the requests
that wait in the pipe, what is read after an answer, and how long an answer may lie untaken. Trailers are dropped:
headers are those of the header section (contract §1). An `Upgrade` to anything but a WebSocket is ignored
(RFC 9110 §7.8).
"""

import asyncio
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ops.http.connection import HttpConnection
from ops.http.heads import (
    HEAD_END,
    encode_without_upgrade,
    find_end_of_heads,
    has_body,
    measure_headers,
)
from ops.http.unread_body import UnreadBody

MAX_HEAD_BYTES = 64 * 1024  # also of what is neither head nor body: chunks' extensions, trailers
HEAD_SECONDS = 10.0  # from a head's first byte to its last
MAX_PIPELINED = 16  # requests whose head was read and whose answer is not out
SLICE_BYTES = 16 * 1024  # parsed at a time,
TURN_CHUNKS = 2_000  # until so many chunks have come in one turn of the loop


class HttpProtocol(HttpConnection):
    """One connection: what comes is parsed, as much of it as the budget allows."""

    __slots__ = (
        "_chunk_count",
        "_has_progressed",
        "_is_head_too_large",
        "_is_parse_scheduled",
        "_is_upgrade",
        "_parsing_bytes",
        "_read_scope",
        "_unfinished_bytes",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # The scope of the request whose head was read last. While `self.scope` is another, a head is coming.
        self._read_scope: object = None
        self._is_upgrade = False
        self._is_head_too_large = False
        self._parsing_bytes = 0  # bytes that are being parsed,
        self._has_progressed = False  # and whether they completed anything
        self._unfinished_bytes = 0  # bytes since something was completed last
        self._chunk_count = 0
        self._is_parse_scheduled = False  # `_unparsed` goes on in another turn of the loop

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        """Bytes came: parse them, or as much of them as there is room in the pipe for."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if self._is_ending:
            self._drop(len(data))
        elif (
            len(data) > SLICE_BYTES
            or self._unparsed
            or self.pipeline
            or data.count(HEAD_END) >= MAX_PIPELINED
        ):
            self._unparsed += data
            if not self._is_parse_scheduled:
                self._parse_in_slices()
        else:
            self._parse(data)

    # What the parser calls.

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        if self._timer is not None:
            self._stop_timer()
        if self._unfinished_bytes + self._parsing_bytes > MAX_HEAD_BYTES:
            self._check_head()
        self._unfinished_bytes = 0
        self._has_progressed = True
        self._read_scope = self.scope
        # Upgrades are decided in `_upgrade`; what comes behind the last request is not parsed for anybody.
        self._is_upgrade = self.parser.should_upgrade() or self._is_ending
        if self._is_upgrade:
            return
        HttpToolsProtocol.on_headers_complete(self)
        self.headers = []  # of trailers, which nobody sees
        self.cycle.transport = self._writer  # type: ignore[assignment]
        self._unread = UnreadBody(self.cycle) if self.expect_100_continue else None
        if self.pipeline:
            self.flow.is_full = True

    def on_body(self, body: bytes) -> None:
        """A part of a body came; nobody wants it if its request has been answered."""
        self._has_progressed = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_chunk_header(self) -> None:
        """A chunk of a body begins."""
        self._has_progressed = True
        self._chunk_count += 1

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._is_upgrade:
            return
        cycle = self.cycle
        if cycle.response_complete:
            self._finish_dropping()
        else:
            cycle.more_body = False
            cycle.message_event.set()

    # What a response calls.

    def on_response_complete(self) -> None:
        """An answer is out: go on with the next request, or drop the rest of this one."""
        self.flow.is_full = bool(self._unparsed) or len(self.pipeline) > 1
        HttpToolsProtocol.on_response_complete(self)
        if self.transport.is_closing():
            return
        if self._unparsed and not self.pipeline and not self._is_parse_scheduled:
            self._unset_keepalive_if_required()
            self._parse_in_slices()
        elif self.cycle.more_body and self.cycle.response_complete:
            self._drop_rest()

    # Parsing.

    def _parse(self, data: bytes) -> None:
        self._parsing_bytes, self._has_progressed = len(data), False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except HttpParserError:
            self._refuse(431 if self._is_head_too_large else 400)
            return
        if not self._has_progressed or self.scope is not self._read_scope or self.cycle.more_body:
            self._bound_unfinished()

    def _parse_in_slices(self) -> None:
        """Parse until the pipe is full, or others must have their turn; nothing is read until then."""
        data, self._unparsed, start = self._unparsed, b"", 0
        room, last_chunk = self._count_free_places(), self._chunk_count + TURN_CHUNKS
        while (
            start < len(data)
            and room > 0
            and self._chunk_count < last_chunk
            and not self._is_ending
        ):
            end = find_end_of_heads(data, start, start + SLICE_BYTES, count=room)
            self._parse(data[start:end])
            start, room = end, self._count_free_places()
        if self._is_ending:
            return
        self._unparsed = data[start:]
        self._is_parse_scheduled = bool(self._unparsed) and room > 0
        if self._is_parse_scheduled:
            self.loop.call_soon(self._continue_parsing)
        was_full, self.flow.is_full = self.flow.is_full, bool(self._unparsed or self.pipeline)
        if self.flow.is_full:
            self.flow.pause_reading()
        elif was_full and len(self.cycle.body) <= HIGH_WATER_LIMIT:
            self.flow.resume_reading()

    def _continue_parsing(self) -> None:
        self._is_parse_scheduled = False
        if self._unparsed and not self._is_ending and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._parse_in_slices()

    def _count_free_places(self) -> int:
        """How many requests more may be taken up."""
        return MAX_PIPELINED - len(self.pipeline) - self._is_busy()

    def _bound_unfinished(self) -> None:
        """What came ends within a request: that may not grow, nor last, without a bound."""
        newest = self._newest_cycle()
        is_progress = self._has_progressed
        self._unfinished_bytes = 0 if is_progress else self._unfinished_bytes + self._parsing_bytes
        if self._unfinished_bytes > MAX_HEAD_BYTES:
            self._refuse(431)
        elif newest is not None and newest.more_body and self.scope is self._read_scope:
            if newest.response_complete:
                self._drop(self._parsing_bytes)
            elif self._unread is None:
                self._unread = UnreadBody(newest)
        elif self._timer is None:
            self._start_timer(HEAD_SECONDS, self._refuse_late_head)

    def _check_head(self) -> None:
        if len(self.url) + measure_headers(self.headers) > MAX_HEAD_BYTES:
            self._is_head_too_large = True
            raise ValueError  # for the parser to stop

    def _refuse_late_head(self) -> None:
        self._timer = None
        if self._is_busy():
            self._start_timer(HEAD_SECONDS, self._refuse_late_head)
        else:
            self._refuse(408)

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
            self._is_ending = True
            self.scope["method"] = method.decode("ascii")
            self.handle_websocket_upgrade()
            self.parser = None  # type: ignore[assignment]
            self._release()

    def _decline_upgrade(self, method: bytes, rest: bytes) -> None:
        """Parse the head again without `Upgrade`: the parser takes a body behind it for something else.

        Java's HttpClient asks for h2c with every request; and what is no body would be a request.
        """
        version = self.parser.get_http_version().encode()
        head = b"%b %b HTTP/%b\r\n" % (method, self.url, version)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head + encode_without_upgrade(self.headers) + rest)
