"""One client: its socket, who it is, until when it may stay, and what is about to be written to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from push_gateway.websocket_protocol import FrameSocket
from storage.bus import Position


@dataclass(slots=True, eq=False)
class Connection:
    """A client that was let in."""

    user_id: int
    socket: FrameSocket
    send: Callable[[bytes], None]
    """Writes frames at once, as `FrameSocket.take_over` gave it."""
    expires_at: float
    """Unix time at which its token ends."""
    live_from: Position | None = None
    """Events up to here it has, or gets by replay; None once the feed is past it."""
    waiting: list[bytes] = field(default_factory=list)
    """Frames to be written together at the next `flush`."""

    def is_due(self, position: Position) -> bool:
        """Whether an event that the feed brings now is for it."""
        if self.live_from is not None:
            if position <= self.live_from:
                return False
            self.live_from = None
        return True

    def flush(self) -> int:
        """Write the waiting frames in one go; returns how many there were."""
        frames, self.waiting = self.waiting, []
        self.send(frames[0] if len(frames) == 1 else b"".join(frames))
        return len(frames)
