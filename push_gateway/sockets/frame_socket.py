"""What the gateway asks of a socket, and a socket of its owner: the ASGI extension `carillon.frames`.

`websocket_protocol.py` implements `FrameSocket`, `connection.py` is the owner. Nothing here knows uvicorn.
"""

import socket
from functools import lru_cache
from typing import Protocol

from websockets.frames import Frame, Opcode

EXTENSION = "carillon.frames"
"""Where `scope["extensions"]` has the FrameSocket of a handshake."""


class SocketOwner(Protocol):
    """The object that has taken a socket over: everything written to the socket goes through it."""

    def write(self, data: bytes) -> None:
        """Write whole frames behind those before, also those of the protocol itself (pongs, close frames)."""

    def on_closed(self, code: int) -> None:
        """The socket takes no more frames; called once, with the close code."""

    def on_overrun(self) -> None:
        """More bytes wait for the peer than the owner allowed."""


class FrameSocket(Protocol):
    """An accepted WebSocket that takes encoded frames."""

    heard_at: float
    """When something last came from the peer, by the event loop's clock, in seconds."""

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> socket.SocketType | None:
        """Keep the socket open after the app returns, for an owner that lets `buffer_bytes` wait at most.

        Returns the socket as the kernel has it, non-blocking. The owner may send frames with it while nothing is
        `count_buffered`, until `on_closed`. None where everything has to go through `write` (TLS).
        """

    def write(self, data: bytes) -> None:
        """Write whole frames when the peer takes them; after the end it does nothing."""

    def count_buffered(self) -> int:
        """The number of bytes that the peer has not taken yet, those in the kernel left out."""

    def ping(self) -> None:
        """Ask the peer for a sign of life (RFC 6455 §5.5.2)."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, and drop the connection if the peer does not answer it in time."""


def encode_text_frame(payload: bytes) -> bytes:
    """A whole unmasked text frame (RFC 6455 §5.6) of UTF-8 `payload`; the same bytes go to every socket."""
    return _encode_head(len(payload)) + payload


# `websockets` takes far longer for a frame than the rest of its encoding does, and a head says nothing but the length.
@lru_cache(maxsize=4096)
def _encode_head(length: int) -> bytes:
    whole = Frame(Opcode.TEXT, bytes(length)).serialize(mask=False, extensions=[])
    return whole[: len(whole) - length]
