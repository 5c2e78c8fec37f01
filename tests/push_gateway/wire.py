"""A WebSocket client that writes exact bytes, in exact pieces, and judges what comes back.

For the conformance cases (`cases.py`): no library would send what they send.
"""

import os
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from websockets.speedups import apply_mask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
SECONDS = 30.0
NORMAL = 1000
# A gateway says it by itself; the cases are about what answers them.
HELLO = b'{"type":"HELLO",'

Got = tuple[int, bytes]


class Pause(float):
    """Wait so many seconds, or until the peer hangs up."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, piece by piece, and what must come back.

    A step is bytes for one write, a `Pause`, or an opcode: wait for a frame of it. `frames` must come
    back, in order, then the end: with `codes` empty we close with 1000 and are answered 1000, otherwise
    the peer closes with one of `codes`, or (unless `is_clean`) drops the connection. What the suite
    calls non-strict passes as well: fewer of the frames before a failure, or a failure only at the end.
    """

    name: str
    steps: tuple[bytes | Pause | int, ...]
    frames: tuple[Got, ...] = ()
    codes: frozenset[int] = frozenset()
    is_clean: bool = False

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return sum(len(step) for step in self.steps if isinstance(step, bytes))

    def without_echo(self) -> "Case":
        """The same for a peer that answers pings only."""
        frames = tuple(one for one in self.frames if one[0] == PONG)
        steps = tuple(step for step in self.steps if step not in (TEXT, BINARY))
        return Case(self.name, steps, frames, self.codes, is_clean=self.is_clean)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame (RFC 6455 §5.2), allowed or not."""
    mask = os.urandom(4)
    return head(opcode, len(payload), fin=fin, rsv=rsv) + mask + apply_mask(payload, mask)


def head(opcode: int, length: int, *, fin: bool = True, rsv: int = 0) -> bytes:
    """The beginning of a masked frame: its mask is to follow."""
    first = bytes([fin << 7 | rsv << 4 | opcode])
    if length < 126:
        return first + bytes([128 | length])
    if length < 1 << 16:
        return first + bytes([128 | 126]) + length.to_bytes(2)
    return first + bytes([128 | 127]) + length.to_bytes(8)


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, code.to_bytes(2) + reason)


def chop(data: bytes, size: int = 1) -> tuple[bytes, ...]:
    """`data` in writes of `size` bytes."""
    return tuple(data[start : start + size] for start in range(0, len(data), size))


@dataclass(slots=True)
class Peer:
    """A connection to a server that has said 101."""

    sock: socket.socket
    stream: BinaryIO
    got: list[Got] = field(default_factory=list)
    code: int | None = None
    is_over: bool = False

    def read(self) -> Got | None:
        """The next frame; None at the end."""
        try:
            start = self.stream.read(2)
            if len(start) < 2:
                self.is_over = True
                return None
            assert start[0] & 0x70 == 0, "reserved bits from the server"
            assert start[0] & 0x80, "a fragment from the server"
            assert start[1] & 0x80 == 0, "a mask from the server"
            length = start[1]
            if length > 125:
                length = int.from_bytes(self.stream.read(2 if length == 126 else 8))
            payload = self.stream.read(length)
        except ConnectionError:
            self.is_over = True
            return None
        opcode = start[0] & 15
        if opcode == CLOSE:
            self.code = int.from_bytes(payload[:2]) if payload else NORMAL
        else:
            self.got.append((opcode, payload))
        return opcode, payload

    @property
    def answers(self) -> list[tuple[int, bytes]]:
        """What was got, without HELLO."""
        return [one for one in self.got if not one[1].startswith(HELLO)]

    def read_until(self, opcode: int) -> None:
        """Read up to the next frame of a kind, or the end."""
        while self.code is None and not self.is_over:
            found = self.read()
            if found is not None and found[0] == opcode:
                return

    def write(self, data: bytes) -> None:
        """One write; a server that is gone reads nothing."""
        try:
            self.sock.sendall(data)
        except ConnectionError:
            self.is_over = True

    def pause(self, seconds: float) -> None:
        """Wait, or until something comes."""
        self.sock.settimeout(seconds)
        try:
            if self.sock.recv(1, socket.MSG_PEEK) == b"":
                self.is_over = True
            else:
                self.read()
        except TimeoutError:
            pass
        except ConnectionError:
            self.is_over = True
        self.sock.settimeout(SECONDS)


def shake_hands(
    port: int, target: str, *, receive_bytes: int = 0, tls: ssl.SSLContext | None = None
) -> Peer:
    """Open a WebSocket on this machine; its kernel holds `receive_bytes` for it (0: as usual)."""
    sock = socket.socket()
    if receive_bytes:  # before it connects, or the window is announced
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(SECONDS)
    sock.connect(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is not None:
        sock = tls.wrap_socket(sock, server_hostname="127.0.0.1")
    key = b64encode(os.urandom(16)).decode()
    lines = (
        *(f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade"),
        *("Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "\r\n"),
    )
    sock.sendall("\r\n".join(lines).encode())
    stream = sock.makefile("rb")
    assert b" 101 " in stream.readline()
    while stream.readline() != b"\r\n":
        pass
    return Peer(sock, stream)


def judge_case(case: Case, port: int, target: str) -> str:
    """`OK`, `NON-STRICT`, or what is wrong."""
    peer = shake_hands(port, target)
    with peer.sock, peer.stream:
        late = _play(peer, case.steps)
        if not case.codes:
            while len(peer.answers) < len(case.frames) and peer.code is None and not peer.is_over:
                peer.read()
            peer.write(close(NORMAL))
        while peer.code is None and not peer.is_over:
            peer.read()
    return _verdict(case, peer, is_late=late)


def _play(peer: Peer, steps: Iterable[bytes | Pause | int]) -> bool:
    """Take the steps; whether the peer was still there after the last pause."""
    there = False
    for step in steps:
        if isinstance(step, bytes):
            peer.write(step)
        elif isinstance(step, Pause):
            peer.pause(step)
            there = peer.code is None and not peer.is_over
        else:
            peer.read_until(step)
    return there


def _verdict(case: Case, peer: Peer, *, is_late: bool) -> str:
    got = tuple(peer.answers)
    codes = case.codes or {NORMAL}
    if peer.code is None and (case.is_clean or not case.codes):
        return "FAILED: the connection was dropped"
    if peer.code is not None and peer.code not in codes:
        return f"FAILED: closed with {peer.code}"
    if got == case.frames:
        return "NON-STRICT" if is_late else "OK"
    if case.codes and not case.is_clean and got == case.frames[: len(got)]:
        return "NON-STRICT"
    return f"FAILED: came back: {[(opcode, data[:40]) for opcode, data in got]}"


def open_raw_socket(port: int, token: str, *, receive_bytes: int) -> socket.socket:
    """A socket of the gateway, its handshake done, whose test may stop reading."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.connect(("127.0.0.1", port))
    raw.sendall(
        f"GET /api/v1/ws/messages?token={token} HTTP/1.1\r\nHost: x\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert raw.recv(4096).startswith(b"HTTP/1.1 101")
    return raw
