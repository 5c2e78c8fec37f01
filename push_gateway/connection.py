"""One client: its socket, who it is, until when it may stay, and what is about to be written to it."""

from dataclasses import dataclass, field
from socket import SocketType
from typing import Optional, Protocol

from push_gateway.sockets.frame_socket import FrameSocket
from storage.model.close_codes import CloseCode
from storage.valkey.bus_reader import Position


class ConnectionOwner(Protocol):
    """What a connection asks of the gateway."""

    def forget(self, connection: "Connection", *, code: int) -> None:
        """Take note that a connection has gone, with this close code."""

    def close(self, connection: "Connection", code: CloseCode) -> None:
        """Close a connection with this code."""


@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    """A client that was let in, and the owner of its socket."""

    user_id: int
    socket: FrameSocket
    owner: ConnectionOwner
    expires_at: float
    """Unix time at which its token ends."""
    queued_frames: list[bytes] = field(default_factory=list)
    """Frames to be written together at the next `flush`."""
    replayed_until: Position | None = None
    """Events up to this position it has, or gets by replay; None once the feed is past it."""
    was_told: bool = True
    """Whether an event was written to it, or HELLO, since the dispatcher asked last (POSITION, contract §5)."""
    has_buffered: bool = True
    """Whether something may wait for the peer in the transport; looked at again before each write."""
    kernel_socket: SocketType | None = None
    """Where frames go when nothing waits, as `FrameSocket.take_over` gave it."""
    next_of_user: Optional["Connection"] = None
    """The same person's next younger connection; set by the hub."""

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
        self.was_told = True
        self.write(frames[0] if len(frames) == 1 else b"".join(frames))
        return len(frames)

    def write(self, data: bytes) -> None:
        """Write whole frames behind those before; after the end it does nothing.

        They go to the kernel, and only what it has no room for goes to the transport, which costs more
        (docs/decisions/0016-frames-to-the-kernel.md).
        """
        if self.has_buffered:
            self.has_buffered = self.socket.count_buffered() > 0
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
        """See SocketOwner: the kernel's socket is not used any more, and the gateway is told."""
        self.kernel_socket = None
        self.owner.forget(self, code=code)

    def on_overrun(self) -> None:
        """See SocketOwner: a slow reader is closed."""
        self.owner.close(self, CloseCode.SLOW_READER)
