"""How a connection begins and ends, and for how long it may do nothing. Base of `protocol.py`, which parses.

An end is gentle: what was asked is answered, and what still comes is read and dropped for a while. Closing with
unread data resets the connection, and a reset overtakes the last answer
(docs/decisions/0019-budgets-of-a-connection.md).
"""

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ops.http import refusals, unread_body
from ops.http.transport_views import PipelineFlowControl, ResponseWriter
from ops.http.unread_body import UnreadBody
from storage.process import open_files

FIRST_BYTE_SECONDS = 30.0
UNTAKEN_SECONDS = 60.0  # in which a client that has more than it may waiting takes none of it
OVER_CAPACITY_SECONDS = 1.0  # for a connection that will be refused to say something

_log = logging.getLogger(__name__)


class HttpConnection(HttpToolsProtocol):
    """One connection, without the parsing of what comes."""

    # Slots: with more than thirty attributes a class's instances share no keys, and each costs more.
    __slots__ = (
        "_dropped_bytes",
        "_is_ending",
        "_timer",
        "_unparsed",
        "_unread",
        "_write_timer",
        "_writer",
    )
    flow: PipelineFlowControl

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._is_ending = False  # nothing is parsed any more; what comes is dropped
        self._unparsed = b""  # what came and waits to be parsed
        self._unread: UnreadBody | None = None  # of the newest request, if its body is still coming
        self._dropped_bytes = 0
        self._timer: TimerHandle | None = None  # for a head, or for what is dropped
        self._write_timer: TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected; it has a while to say something."""
        super().connection_made(transport)
        self.flow = PipelineFlowControl(transport)
        self._writer = ResponseWriter(transport, self._close_after_response)
        patience = FIRST_BYTE_SECONDS
        room = open_files.find_headroom(len(self.connections))
        if room is not open_files.Headroom.ENOUGH:
            refusals.CAPACITY_LOG.warn(len(self.connections))
            if room is open_files.Headroom.NONE:
                transport.abort()
                return
            # Answered when it has asked, or the answer would be lost with a reset.
            self.app = refusals.refuse_over_capacity
            self.ws_protocol_class = None
            patience = OVER_CAPACITY_SECONDS
        self.timeout_keep_alive_task = self.loop.call_later(
            patience, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, one way or another."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._stop_write_timer()
        self._release()

    def pause_writing(self) -> None:
        """The client takes an answer more slowly than it is made."""
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(UNTAKEN_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """The client has taken most of what was waiting."""
        super().resume_writing()
        self._stop_write_timer()

    # Requests.

    def _newest_cycle(self) -> RequestResponseCycle | None:
        """The request whose head was read last; None before the first (uvicorn's types leave that out)."""
        return self.cycle

    def _is_busy(self) -> bool:
        """Whether the newest request has not been answered."""
        newest = self._newest_cycle()
        return newest is not None and not newest.response_complete

    # Ends.

    def _refuse(self, status: int) -> None:
        """Parse nothing more: what was asked before is answered, what is wrong gets `status`."""
        _log.debug(
            "A request was refused: %d.", status
        )  # a stranger can cause as many as they like
        self._is_ending = True
        self._unparsed = b""
        self._stop_timer()
        cycle = self._newest_cycle()
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
        self.transport.write(refusals.encode_refusal(status, self.app_state, self.headers or ()))
        self._end()

    def _end(self) -> None:
        """Say that nothing more is answered, and drop what still comes, so that the last answer arrives."""
        self._is_ending = True
        self._unparsed = b""
        self.pipeline.clear()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self._dropped_bytes = 0
        self._start_timer(unread_body.DROPPED_SECONDS, self.transport.close)
        self.flow.is_full = False
        self.flow.resume_reading()

    def _close_after_response(self) -> None:
        """Close after the last answer, but not before its request was read."""
        if self._is_ending:
            self._end()
        elif not (self.cycle.more_body and self.cycle.response_complete):
            self.transport.close()

    def _drop_rest(self) -> None:
        """The newest request was answered before its body was read: read and drop what is left of it."""
        unread = self._unread
        if unread is not None and unread.is_expecting and not self.cycle.keep_alive:
            self._end()
            return
        self._dropped_bytes = 0 if unread is None else unread.dropped_bytes
        self._start_timer(unread_body.DROPPED_SECONDS / 2, self.transport.close)

    def _drop(self, size: int) -> None:
        """`size` bytes came that nobody wants; too many of them close the connection."""
        self._dropped_bytes += size
        if self._dropped_bytes > unread_body.DROPPED_BYTES:
            self.transport.close()

    def _finish_dropping(self) -> None:
        """All of a request was read whose answer is out: close, or wait for the next request."""
        self._stop_timer()
        self.cycle.more_body = False
        if not self.cycle.keep_alive:
            self._is_ending = True  # what is behind it in the pipe is not answered
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _abort(self) -> None:
        self._release()
        self.transport.abort()

    def _release(self) -> None:
        """Let go of what would keep this object in memory."""
        self._unparsed = b""
        self._writer.disconnect()

    # Timers.

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
