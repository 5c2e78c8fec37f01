"""Row 35: bodies that are too big or too slow, and frames that are too large."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psutil

from tests.faults.environment import FaultEnvironment, Findings
from tests.push_gateway.wire import TEXT, head, shake_hands

AT_ONCE = 16
FRAME_BYTES = 16 << 20
PIECE = b" " * 65_536
SLOW_SECONDS = 30.0


def overfeed(environment: FaultEnvironment) -> Findings:
    """35: 413 to what is too big, declared or not, 408 to what is too slow, 1009 to huge frames."""
    rounds = environment.scale(short=1, full=5)
    web = psutil.Process(environment.stack.processes["web"].pid)
    person, *others = environment.add_people(1 + AT_ONCE * rounds)
    watchers = iter(others)  # a person has ten sockets at most
    told: dict[str, Counter[int]] = {"declared": Counter(), "endless": Counter(), "slow": Counter()}
    frames: Counter[int | None] = Counter()
    # What is allocated once, at the first such request, is not growth.
    _all_at_once(lambda: _send_declared_length(environment, person))
    before, watch = web.memory_info().rss, _Watch(web)
    with watch:
        for _ in range(rounds):
            told["declared"] += _all_at_once(lambda: _send_declared_length(environment, person))
            told["endless"] += _all_at_once(lambda: _send_endless_body(environment, person))
            frames += _all_at_once(lambda: _send_huge_frame(environment, next(watchers)))
        told["slow"] += _all_at_once(lambda: _send_slow_body(environment, person))
    total = AT_ONCE * rounds
    found = Findings({"rss + KiB": (watch.most - before) // 1024, "1009": frames[1009]})
    found.must(told["declared"] == {413: total}, f"413 to a declared length ({told['declared']})")
    found.must(told["endless"] == {413: total}, f"413 to an endless body ({told['endless']})")
    found.must(told["slow"] == {408: AT_ONCE}, f"408 to a slow body ({told['slow']})")
    found.must(frames == {1009: total}, f"1009 to frames of 16 MiB ({frames})")
    # All of the frames at once would be 256 MiB.
    found.must(watch.most - before < 24 << 20, "RSS is flat")
    return found


class _Watch:
    """The most memory that a process has while it is open (`with`)."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self.most = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.most = max(self.most, self._process.memory_info().rss)
            if self._over.wait(0.02):
                return


def _all_at_once(one: Callable[[], int | None]) -> "Counter[int]":
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(
            future.result() or 0 for future in [pool.submit(one) for _ in range(AT_ONCE)]
        )


def _send_declared_length(environment: FaultEnvironment, person: int) -> int:
    """Declare a body over the limit, send none of it, and return the status."""
    with _begin_request(environment, person, "Content-Length: 1073741824") as sock:
        return _read_status(sock)


def _send_endless_body(environment: FaultEnvironment, person: int) -> int:
    """Send a body in chunks that does not end, and return the status."""
    with _begin_request(environment, person, "Transfer-Encoding: chunked") as sock:
        _pour(sock, b"", b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        return _read_status(sock)


def _send_slow_body(environment: FaultEnvironment, person: int) -> int:
    """Send the beginning of a body and no more, and return the status."""
    with _begin_request(environment, person, "Content-Length: 100") as sock:
        sock.sendall(b'{"type"')
        return _read_status(sock)


def _send_huge_frame(environment: FaultEnvironment, person: int) -> int | None:
    """Send a frame of 16 MiB, as far as the server takes it, and return the close code."""
    address = urlsplit(environment.stack.url)
    token = environment.client.token(person)
    peer = shake_hands(address.port or 80, f"/api/v1/ws/messages?token={token}")
    with peer.sock, peer.stream:
        _pour(peer.sock, head(TEXT, FRAME_BYTES) + bytes(4), PIECE)
        while peer.code is None and not peer.is_over:
            peer.read()
        return peer.code


def _pour(sock: socket.socket, start: bytes, piece: bytes) -> None:
    """Write 16 MiB, or until the server refuses more: what it said before can still be read."""
    try:
        sock.sendall(start)
        for _ in range(FRAME_BYTES // len(PIECE)):
            sock.sendall(piece)
    except ConnectionError:
        pass


def _begin_request(environment: FaultEnvironment, person: int, header: str) -> socket.socket:
    """A request whose head has been sent."""
    address = urlsplit(environment.stack.url)
    sock = socket.create_connection((address.hostname, address.port), timeout=SLOW_SECONDS)
    lines = (
        *("POST /api/v1/messages/ HTTP/1.1", "Host: carillon.test", header),
        *(f"Authorization: Bearer {environment.client.token(person)}", "\r\n"),
    )
    sock.sendall("\r\n".join(lines).encode())
    return sock


def _read_status(sock: socket.socket) -> int:
    """The status of the answer; 0 if the connection is cut without one."""
    until, answer = time.monotonic() + SLOW_SECONDS, b""
    try:
        while b"\r\n" not in answer and time.monotonic() < until:
            piece = sock.recv(4096)
            if not piece:
                return 0
            answer += piece
    except ConnectionError:
        return 0
    return int(answer.split(b" ")[1])
