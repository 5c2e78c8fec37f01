"""One client: its socket, who it is, until when it may stay, and what is about to be written to it."""

import socket
from dataclasses import dataclass, field
from typing import Optional, Protocol

from push_gateway.sockets.close_codes import CloseCode
from push_gateway.sockets.frame_socket import FrameSocket
from storage.valkey.bus import Position


class ConnectionOwner(Protocol):
    """Whoever lets clients in and out (the gateway)."""

    def forget(self, connection: "Connection", *, code: int) -> None:
        """A connection is gone."""

    def close(self, connection: "Connection", code: CloseCode) -> None:
        """A connection must go."""


# The first four fields are what a delivery looks at, and share a cache line: at ten thousand sockets,
# lines that are in no cache are most of what Python costs a delivery.
@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    """A client that was let in; the owner of its socket."""

    replayed_until: Position | None = None
    """Events up to here it has, or gets by replay; None once the feed is past it."""
    has_buffered: bool = True
    """Something may wait for the peer in the transport."""
    kernel_socket: socket.SocketType | None = None
    """Where frames go when nothing waits, as `FrameSocket.take_over` gave it."""
    next_of_user: Optional["Connection"] = None
    """The same person's next; the hub's."""
    user_id: int
    socket: FrameSocket
    owner: ConnectionOwner
    expires_at: float
    """Unix time at which its token ends."""
    queued_frames: list[bytes] = field(default_factory=list)
    """Frames to be written together at the next `flush`."""

    def is_due(self, position: Position) -> bool:
        """Whether an event that the feed brings now is for it."""
        if self.replayed_until is not None:
            if position <= self.replayed_until:
                return False
            self.replayed_until = None
        return True

    def flush(self) -> int:
        """Write the waiting frames in one go; returns how many there were."""
        frames, self.queued_frames = self.queued_frames, []
        self.write(frames[0] if len(frames) == 1 else b"".join(frames))
        return len(frames)

    def write(self, data: bytes) -> None:
        """Write whole frames behind those before; after the end it does nothing.

        To the kernel, and to the transport only what that has no room for: a transport has objects of its
        own to look at, and uses write(2), which looks at more than send(2) does
        (docs/decisions/0016-frames-to-the-kernel.md).
        """
        if self.has_buffered:
            self.has_buffered = self.socket.buffered() > 0
        if not self.has_buffered and self.kernel_socket is not None:
            try:
                sent = self.kernel_socket.send(data)
            except OSError:  # no room, or no peer any more: the transport will see which
                sent = 0
            if sent == len(data):
                return
            self.has_buffered = True
            data = data[sent:]
        self.socket.write(data)

    def on_closed(self, code: int) -> None:
        """The socket takes no more frames."""
        self.kernel_socket = None
        self.owner.forget(self, code=code)

    def on_overrun(self) -> None:
        """More waits for the peer than may."""
        self.owner.close(self, CloseCode.SLOW_READER)
