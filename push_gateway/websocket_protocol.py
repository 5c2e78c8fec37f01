"""uvicorn's WebSocket protocol, plus: an app may take a socket over and write whole frames to it.

Given to uvicorn by `--ws push_gateway.websocket_protocol:FrameWebSocketProtocol`. `websockets` speaks RFC 6455;
nothing of it is written by hand. Apps that do not know the extension `carillon.frames` (`frame_socket.py`) work as
with uvicorn's own class, with four differences: per-message deflate is never offered (it costs CPU and memory:
docs/decisions/0016-frames-to-the-kernel.md); query strings, where tokens are, stay out of the log; what comes is
parsed in slices; and a handshake that cannot be read is answered.

When an app has accepted and taken a socket over, it returns. The connection needs no task and no coroutine any
more; this object and the transport are all that stays in memory. Such a socket has a budget of frames and bytes
(contract §5; docs/decisions/0019-budgets-of-a-connection.md).
"""

import asyncio
import random
import socket
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from push_gateway.sockets.frame_socket import EXTENSION, SocketOwner, encode_text_frame
from push_gateway.sockets.incoming_budget import IncomingBudget
from push_gateway.sockets.kernel_socket import open_kernel_socket
from push_gateway.sockets.server_protocol import (
    USUAL_LINE_BYTES,
    CountingProtocol,
    allow_long_lines,
    convert_to_counting,
)
from storage.model.close_codes import NO_CLOSE_FRAME, REASONS, CloseCode

# Of one message from a client; over it the code is 1009 (contract §5, Close codes).
MAX_INCOMING_BYTES = 64 * 1024
CLOSE_SECONDS = 2.0  # for a peer to answer a close frame
SLICE_BYTES = 1024  # parsed at a time: 170 frames of the smallest kind,
TURN_BYTES = 64 * 1024  # and so much,
TURN_FRAMES = 100  # or so many, in one turn of the loop
DRAIN_PER_SECOND = 2_500  # sockets closed a second when the server stops,
DRAIN_SECONDS = 4.0  # but all of them within this
PONG = encode_text_frame(b"pong")


class _DiscardingQueue(asyncio.Queue[Any]):
    """Stands in for the queue of a socket that was taken over: no app listens to its events."""

    def put_nowait(self, item: Any) -> None:
        """Forget the event."""


_NO_LISTENER = _DiscardingQueue()


class _AlwaysSet(asyncio.Event):
    """Stands in for the event `writable` of a socket that was taken over: no app waits for it."""

    def clear(self) -> None:
        """Stay set."""


_ALWAYS_WRITABLE = _AlwaysSet()
_ALWAYS_WRITABLE.set()


class FrameWebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. Implements FrameSocket for the app that takes it over."""

    conn: CountingProtocol

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        # For every connection of this server; the same again for the next one.
        config.ws_per_message_deflate = False
        config.ws_max_size = min(config.ws_max_size, MAX_INCOMING_BYTES)
        super().__init__(config, server_state, app_state, _loop)
        self.conn = convert_to_counting(self.conn)
        # At DEBUG it would log the request line and its headers, which hold tokens.
        self.conn.debug = False
        self.heard_at = self.loop.time()
        self._owner: SocketOwner | None = None
        self._kernel_socket: socket.SocketType | None = None
        self._is_end_told = False
        self._unparsed = b""  # not parsed yet: others have their turn
        self._ignores_input = False  # what comes is dropped
        self._budget = IncomingBudget(now=self.heard_at)

    # What uvicorn and the transport call.

    def data_received(self, data: bytes) -> None:
        """Something came from the peer: parse it, in slices if it is much."""
        self.heard_at = self.loop.time()
        if self._ignores_input:
            return
        if not self.handshake_initiated:
            if len(data) > USUAL_LINE_BYTES:
                allow_long_lines(self.conn)
            self._parse(data)
        elif self._unparsed or len(data) > SLICE_BYTES:
            is_scheduled = bool(self._unparsed)
            self._unparsed += data
            if not is_scheduled:
                self._parse_in_turns()
        else:
            self._parse(data)

    def _parse_in_turns(self) -> None:
        """Parse as much as one turn of the loop allows, then let others have theirs."""
        data, at, before = self._unparsed, 0, self.conn.frames
        while at < min(len(data), TURN_BYTES) and not self._ignores_input:
            self._parse(data[at : at + SLICE_BYTES])
            at += SLICE_BYTES
            if self.conn.frames - before > TURN_FRAMES:
                break
        if self._ignores_input:
            self._unparsed = b""
            if not self.transport.is_closing():  # or its peer would not see the close frame
                self.transport.resume_reading()
            return
        self._unparsed = data[at:]
        if self._unparsed:
            self.transport.pause_reading()
            self.loop.call_soon(self._parse_in_turns)
        elif not self.read_paused:
            self.transport.resume_reading()

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_unreadable()
        elif self._owner is not None and not self.close_sent:
            self._close_if_flooding(len(data))

    def _close_if_flooding(self, size: int) -> None:
        """Close a socket that sends more than anybody needs to; `size` bytes were parsed just now."""
        if self._budget.is_exceeded(self.conn, size, now=self.heard_at):
            self._ignores_input = True  # before its close frame is answered or its time is up
            self._close_with(CloseCode.FLOODING)

    def _refuse_unreadable(self) -> None:
        """Answer a handshake that `websockets` could not read; uvicorn would not."""
        self._ignores_input = self.handshake_complete = self.close_sent = True
        answer = self.conn.data_to_send()
        if not any(answer):
            answer = [self.conn.reject(400, "The handshake cannot be read.").serialize()]
        self.transport.write(b"".join(answer))
        self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """A handshake came; the app may use the extension."""
        super().handle_connect(event)
        if not self.handshake_complete:  # the app's task is made, but has not started
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]
            # A client has nothing to say before it is let in; the app's first `receive` reads on.
            self.read_paused = True
            self.transport.pause_reading()

    async def run_asgi(self) -> None:
        """As uvicorn's, but a socket that was taken over stays open when the app returns."""
        scope = self.scope
        self.scope = {**scope, "query_string": b""}  # what uvicorn logs when it accepts or refuses
        try:
            await self.app(scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
        else:
            if self._owner is not None:
                return
            if not self.handshake_complete and self.initial_response is None:
                self.logger.error("ASGI callable returned without completing handshake.")
                self.send_500_response()
        if self.close_timer is None:
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """A whole message came. After a takeover only `ping` has a meaning (contract §5)."""
        if self._owner is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.curr_msg_data_type != "text":
            return
        if data == b"ping":
            self._owner.write(PONG)
        elif not _is_utf8(data):
            self._close_with(CloseCode.NOT_UTF8)

    def handle_cont(self, event: Frame) -> None:
        """A fragment came. After a takeover one without content leaves nothing in memory."""
        if event.data or event.fin or self._owner is None:
            super().handle_cont(event)

    def pause_writing(self) -> None:
        """More waits for the peer than it may (the transport's high-water mark)."""
        super().pause_writing()
        if self._owner is not None:
            self.loop.call_soon(self._owner.on_overrun)

    def handle_ping(self) -> None:
        """The peer asks for a sign of life; `websockets` has the answer ready."""
        self._flush()

    def handle_close(self, event: Frame) -> None:
        """The peer closed, or answered our close frame. What is pending behind a close frame is nothing."""
        self._ignores_input = True
        if self.close_sent or not self._can_half_close():
            super().handle_close(event)
            self._end()
        else:
            self._half_close()

    def handle_parser_exception(self) -> None:
        """The peer broke the protocol: it is told, and what it still sends is dropped."""
        self._ignores_input = True
        if self._can_half_close():
            self._half_close()
        else:
            super().handle_parser_exception()
            self._end()

    def _can_half_close(self) -> bool:
        return (
            self._owner is not None
            and not self.transport.is_closing()
            and self.transport.can_write_eof()
        )

    def _half_close(self) -> None:
        """Send the close frame and our end of the connection; the peer's end, or a time limit, ends the rest.

        A whole end while something of the peer's is unread would be a reset, which overtakes the close frame.
        """
        self.close_sent = True
        self._flush()
        self._end()
        self.transport.write_eof()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, one way or another."""
        if self._kernel_socket is not None:
            self._kernel_socket.detach()  # the transport is about to close the descriptor
        super().connection_lost(exc)
        self._ignores_input, self._unparsed = True, b""
        self._end()

    def shutdown(self) -> None:
        """The server stops: close, at different instants, for they will all come back."""
        if self._owner is None:
            super().shutdown()
            return
        spread = min(DRAIN_SECONDS, len(self.connections) / DRAIN_PER_SECOND)
        delay = random.uniform(0, spread)  # noqa: S311 spreads, hides nothing
        self.loop.call_later(delay, self._close_with, CloseCode.RESTARTING)

    # FrameSocket.

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> socket.SocketType | None:
        """See FrameSocket."""
        self._owner = owner
        if self.disconnected:
            self.loop.call_soon(self._end)
            return None
        self.stop_keepalive()
        self._kernel_socket = open_kernel_socket(self.transport)
        self.transport.set_write_buffer_limits(high=buffer_bytes)
        if self.read_paused:  # a frame came with the handshake; nobody will receive it
            self.read_paused = False
            self.transport.resume_reading()
        # Nobody asks for these again, and they are much of what a socket costs.
        self.queue, self.writable = _NO_LISTENER, _ALWAYS_WRITABLE
        del self.scope, self.request, self.response
        is_plain = self.transport.get_extra_info("sslcontext") is None
        return self._kernel_socket if is_plain else None

    def write(self, data: bytes) -> None:
        """See FrameSocket."""
        self.transport.write(data)

    def count_buffered(self) -> int:
        """See FrameSocket."""
        return self.transport.get_write_buffer_size()

    def ping(self) -> None:
        """See FrameSocket."""
        if not self.close_sent and not self.disconnected:
            self.conn.send_ping(b"")
            self._flush()

    def close(self, code: int, reason: str) -> None:
        """See FrameSocket."""
        if self.close_sent or self.transport.is_closing():
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # the peer closed first
            return
        self.close_sent = True
        self._flush()
        self._end()  # RFC 6455 §5.5.1: no frame after a close frame
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def _close_with(self, code: CloseCode) -> None:
        self.close(code, REASONS[code])

    def _flush(self) -> None:
        write = self.transport.write if self._owner is None else self._owner.write
        write(b"".join(self.conn.data_to_send()))

    def _end(self) -> None:
        """Tell the owner, once: our close code if we closed first, else the peer's, or 1006."""
        if self._owner is not None and not self._is_end_told:
            self._is_end_told = True
            close = self.conn.close_sent or self.conn.close_rcvd
            self._owner.on_closed(NO_CLOSE_FRAME if close is None else int(close.code))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
