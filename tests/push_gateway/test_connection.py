"""What a connection writes reaches its peer whole and in order, whether the kernel or the transport takes it."""

import socket
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_gateway.connection import Connection
from push_gateway.sockets.frame_socket import SocketOwner
from storage.model.close_codes import CloseCode

pytestmark = pytest.mark.pure


@dataclass
class Line:
    """A kernel with little room, and a transport (a FrameSocket) that keeps what has none."""

    heard_at: float = 0.0
    room: int = 0
    is_lost: bool = False
    waiting: bytearray = field(default_factory=bytearray)
    arrived: bytearray = field(default_factory=bytearray)

    def send(self, data: bytes) -> int:
        """The system call, non-blocking."""
        if self.is_lost:
            raise ConnectionResetError
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.room -= len(taken)
        self.arrived += taken
        return len(taken)

    def drain(self) -> None:
        """The transport writes what it can."""
        taken = self.waiting[: self.room]
        del self.waiting[: len(taken)]
        self.room -= len(taken)
        self.arrived += taken

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> None:
        """See FrameSocket."""

    def write(self, data: bytes) -> None:
        """See FrameSocket."""
        self.waiting += data

    def count_buffered(self) -> int:
        """See FrameSocket."""
        return len(self.waiting)

    def ping(self) -> None:
        """See FrameSocket."""

    def close(self, code: int, reason: str) -> None:
        """See FrameSocket."""


class ConnectionOwner:
    """Remembers whom it was to forget, and to close."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def forget(self, connection: Connection, *, code: int) -> None:
        """See connection.ConnectionOwner."""
        self.told.append(code)

    def close(self, connection: Connection, code: CloseCode) -> None:
        """See connection.ConnectionOwner."""
        self.told.append(code)


def connect_socket(line: Line, owner: ConnectionOwner) -> Connection:
    """A connection over `line`."""
    connection = Connection(user_id=7, socket=line, owner=owner, expires_at=1e12)
    connection.kernel_socket = cast("socket.SocketType", line)
    return connection


steps = st.lists(
    st.tuples(st.just("write"), st.integers(1, 9))
    | st.tuples(st.just("room"), st.integers(1, 12))
    | st.tuples(st.just("drain"), st.just(0))
    | st.tuples(st.just("flush"), st.integers(1, 3))
)


@given(steps)
def test_every_byte_once_and_in_order(story: list[tuple[str, int]]) -> None:
    """However often the kernel is full, takes a part, or has room again before the transport notices."""
    line, owner = Line(), ConnectionOwner()
    connection = connect_socket(line, owner)
    written = bytearray()
    for number, (step, size) in enumerate(story):
        if step == "write":
            connection.write(frame := bytes([number % 256]) * size)
            written += frame
        elif step == "flush":
            connection.queued_frames = [bytes([number % 256, part]) for part in range(size)]
            written += b"".join(connection.queued_frames)
            assert connection.flush() == size
        elif step == "room":
            line.room += size
        else:
            line.drain()
    assert line.arrived + line.waiting == written


def test_while_the_kernel_has_room_nothing_goes_through_the_transport() -> None:
    """What the fan-out lives on."""
    line = Line(room=100)
    connection = connect_socket(line, ConnectionOwner())
    for _ in range(10):
        connection.write(b"0123456789")
    assert line.arrived == b"0123456789" * 10
    assert not line.waiting


def test_what_a_lost_peer_does_not_take_is_the_transport_s_to_notice() -> None:
    """An error of the kernel ends no fan-out."""
    line = Line(is_lost=True, room=100)
    connect_socket(line, ConnectionOwner()).write(b"frame")
    assert line.waiting == b"frame"


def test_after_the_end_the_descriptor_is_not_touched() -> None:
    """Its number may be somebody else's by then; the owner is told who is gone and why."""
    line, owner = Line(room=100), ConnectionOwner()
    connection = connect_socket(line, owner)
    connection.on_closed(1006)
    connection.write(b"late")
    connection.on_overrun()
    assert line.arrived == b""
    assert owner.told == [1006, CloseCode.SLOW_READER]
