"""How much a client may send over a socket that was taken over (contract §5). Pure; used by `websocket_protocol.py`."""

from push_gateway.sockets.server_protocol import CountingProtocol

WINDOW_SECONDS = 2.0
WINDOW_FRAMES = 400
WINDOW_BYTES = 4 * 1024 * 1024
WINDOW_EMPTY_FRAGMENTS = 16


class IncomingBudget:
    """What came over one socket in the window of time that runs now."""

    __slots__ = ("_began_at", "_bytes")

    def __init__(self, *, now: float) -> None:
        self._began_at = now
        self._bytes = 0

    def is_exceeded(self, protocol: CountingProtocol, size: int, *, now: float) -> bool:
        """Count `size` bytes that `protocol` has just parsed; True if the client sends more than it may.

        `now` is in seconds, by the event loop's clock. A window that is over is followed by a new one, and
        `protocol` counts its frames anew.
        """
        if now - self._began_at > WINDOW_SECONDS:
            self._began_at, self._bytes = now, 0
            protocol.frames = protocol.empty_fragments = 0
        self._bytes += size
        return (
            protocol.frames > WINDOW_FRAMES
            or protocol.empty_fragments > WINDOW_EMPTY_FRAGMENTS
            or self._bytes > WINDOW_BYTES
        )
