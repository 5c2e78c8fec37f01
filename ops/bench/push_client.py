"""A client of many sockets that is cheap enough not to be the bottleneck: raw epoll, no event loop.

Runs as a process of its own (`python -m ops.bench.push_client`). Reads orders as JSON lines from stdin
and answers each with a JSON line on stdout: `connect` opens sockets, `expect` waits until every one of
them has had so many more frames and tells when that was. RFC 6455 is parsed as far as counting needs.
"""

import json
import select
import socket
import sys
import time
from array import array
from typing import Any

from storage.process import open_files

AT_ONCE = 256  # handshakes under way
SOURCES = 8  # addresses 127.0.0.2 and on: ports of one address run out at 28,000
LONG, LONGEST = 126, 127  # length codes of RFC 6455 §5.2


class Sockets:
    """Open WebSockets, and how many frames each has had."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._by_fd: dict[int, socket.socket] = {}
        self._frames: dict[int, int] = {}
        self._rest: dict[int, bytes] = {}
        self._buffer = bytearray(1 << 20)

    def connect(self, host: str, port: int, targets: list[str]) -> dict[str, Any]:
        """Open a socket for every target, `AT_ONCE` at a time."""
        began, waiting = time.monotonic(), list(enumerate(targets))
        shaking: dict[int, socket.socket] = {}
        poll = select.epoll()
        while waiting or shaking:
            while waiting and len(shaking) < AT_ONCE:
                number, target = waiting.pop()
                raw = _begin(host, port, target, source=f"127.0.0.{2 + number % SOURCES}")
                shaking[raw.fileno()] = raw
                poll.register(raw, select.EPOLLIN)
            for fd, _ in poll.poll():
                raw = shaking.pop(fd)
                answer = raw.recv(4096)
                if not answer.startswith(b"HTTP/1.1 101"):
                    raise RuntimeError(answer.decode(errors="replace"))
                poll.unregister(fd)
                self._keep(raw, answer.partition(b"\r\n\r\n")[2])
        return {"seconds": time.monotonic() - began}

    def expect(self, frames: int, *, since: float | None) -> dict[str, Any]:
        """Read until every socket has had `frames` more.

        With `since` (monotonic) also the delays of all of them, in seconds.
        """
        missing, delays = len(self._by_fd), array("d")
        wanted = {fd: count + frames for fd, count in self._frames.items()}
        late = [fd for fd in wanted if self._frames[fd] >= wanted[fd]]
        missing -= len(late)
        while missing:
            for fd, _ in self._poll.poll():
                before = self._frames[fd]
                after = self._read(fd)
                if before < wanted[fd] <= after:
                    missing -= 1
                    if since is not None:
                        delays.append(time.monotonic() - since)
        return {"at": time.monotonic(), "delays": sorted(delays)}

    def _keep(self, raw: socket.socket, rest: bytes) -> None:
        """Take a socket in, with what came behind the answer to its handshake."""
        fd = raw.fileno()
        raw.setblocking(False)
        self._by_fd[fd], self._frames[fd], self._rest[fd] = raw, 0, rest
        self._poll.register(fd, select.EPOLLIN)

    def _read(self, fd: int) -> int:
        size = self._by_fd[fd].recv_into(self._buffer)
        if not size:
            raise RuntimeError("closed by the server")
        data = self._rest[fd] + bytes(memoryview(self._buffer)[:size])
        count, used = _whole_frames(data)
        self._rest[fd] = data[used:]
        self._frames[fd] += count
        return self._frames[fd]


def _begin(host: str, port: int, target: str, *, source: str) -> socket.socket:
    raw = socket.create_connection((host, port), source_address=(source, 0))
    raw.sendall(
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return raw


def _whole_frames(data: bytes) -> tuple[int, int]:
    """How many whole frames of events are at the start of `data`, and how many bytes all frames there take.

    HELLO and POSITION, which come at times of their own, are told by their length: they are shorter than any event.
    """
    count = at = 0
    while len(data) >= at + 2:
        length, header = data[at + 1], 2
        if length == LONG:
            length, header = int.from_bytes(data[at + 2 : at + 4]), 4
        elif length == LONGEST:
            length, header = int.from_bytes(data[at + 2 : at + 10]), 10
        if len(data) < at + header + length:
            break
        at += header + length
        count += header > 2  # noqa: PLR2004 (the length had no room in the second byte)
    return count, at


def main() -> None:
    """Do what stdin says, line by line, until it ends."""
    open_files.raise_limit()
    sockets = Sockets()
    for line in sys.stdin:
        order = json.loads(line)
        busy = time.process_time()
        if order["do"] == "connect":
            answer = sockets.connect(order["host"], order["port"], order["targets"])
        else:
            answer = sockets.expect(order["frames"], since=order["since"])
        print(json.dumps(answer | {"cpu": time.process_time() - busy}), flush=True)


if __name__ == "__main__":
    main()
