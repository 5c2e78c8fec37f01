"""Sockets that say more than anybody needs to (contract §5: 1008), and what everybody else sees meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.push_gateway.running import Gateway, token
from tests.push_gateway.wire import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Peer,
    close,
    frame,
    shake_hands,
)

FLOODING = 1008
# As it was seen: a text that never ends, in fragments without content.
EMPTY = bytes.fromhex("008000000000")
BEGIN = bytes.fromhex("018000000000")

FLOODS = {
    "empty fragments": (BEGIN, EMPTY * 10_000),
    "empty messages": (b"", frame(TEXT) * 10_000),
    "text pings": (b"", frame(TEXT, b"ping") * 10_000),
    "pings": (b"", frame(PING, b"x") * 10_000),
    "pongs": (b"", frame(PONG) * 10_000),
    "small fragments": (
        frame(TEXT, b"x", fin=False),
        frame(CONTINUATION, b"x", fin=False) * 10_000,
    ),
    "large messages": (b"", frame(BINARY, b"x" * 65_000) * 4),
}


def open_socket(gateway: Gateway, user_id: int) -> Peer:
    """A socket that the gateway has taken over."""
    peer = shake_hands(gateway.port, f"/api/v1/ws/messages?token={token(user_id)}")
    peer.read()
    assert b'"HELLO"' in peer.got.pop()[1]
    return peer


def flood(peer: Peer, begin: bytes, more: bytes) -> None:
    """Write until the server has had enough."""
    with suppress(OSError):
        peer.sock.sendall(begin)
        for _ in range(2_000):
            peer.sock.sendall(more)


@contextmanager
def keep_flooding(peers: list[Peer], begin: bytes, more: bytes) -> Iterator[None]:
    """All of them flood, each from a thread of its own, while the block runs."""
    threads = [threading.Thread(target=flood, args=(peer, begin, more)) for peer in peers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for peer in peers:
            peer.sock.close()
            peer.stream.close()
        for thread in threads:
            thread.join(20)


def slowest_health(gateway: Gateway, while_: Callable[[], bool]) -> float:
    """The longest that /healthz took while something held, at least once."""
    slowest = 0.0
    while True:
        since = time.monotonic()
        assert gateway.get("/healthz")[0] == 200
        slowest = max(slowest, time.monotonic() - since)
        if not while_():
            return slowest
        time.sleep(0.01)


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_closed_with_1008_and_nobody_else_waits(gateway: Gateway, name: str) -> None:
    """Four sockets of one kind of flood: /healthz answers, memory stays, each is told why it must go."""
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    gateway.get("/healthz")
    before = process.memory_info().rss
    peers = [open_socket(gateway, 100 + number) for number in range(4)]
    told: list[int | None] = []

    def listen(peer: Peer) -> None:
        with suppress(OSError, ValueError):
            while peer.code is None and not peer.is_over:
                peer.read()
        told.append(peer.code)

    listeners = [threading.Thread(target=listen, args=(peer,)) for peer in peers]
    for listener in listeners:
        listener.start()
    with keep_flooding(peers, *FLOODS[name]):
        end = time.monotonic() + 20
        slowest = slowest_health(gateway, lambda: len(told) < len(peers) and time.monotonic() < end)
        assert told == [FLOODING] * len(peers)
    for listener in listeners:
        listener.join(20)
    assert slowest < 0.5
    assert process.memory_info().rss - before < 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("end", "code"),
    [(close(1000), 1000), (frame(TEXT, rsv=4), 1002), (frame(TEXT, b"\xff"), 1007)],
    ids=["close", "reserved bits", "not UTF-8"],
)
def test_what_comes_behind_the_end_is_dropped(gateway: Gateway, end: bytes, code: int) -> None:
    """A close or a violation in the middle of much: its code, and no traceback for the rest."""
    pings = frame(TEXT, b"ping") * 160  # several slices, and no flood
    for _ in range(5):
        peer = open_socket(gateway, 210)
        peer.write(pings + end + frame(PING, b"x" * 100) * 6000)
        while peer.code is None and not peer.is_over:
            peer.read()
        assert peer.code == code
        peer.sock.close()
        peer.stream.close()
    assert gateway.get("/healthz")[0] == 200
    assert "Traceback" not in gateway.log.read_text()


def test_who_writes_before_reading_is_told_all_the_same(gateway: Gateway) -> None:
    """A flood of one thread: it reads when it has written everything, and finds 1008."""
    peer = open_socket(gateway, 220)
    peer.write(frame(PING, b"x" * 100) * 100_000)
    while peer.code is None and not peer.is_over:
        peer.read()
    assert peer.code == FLOODING
    peer.sock.close()
    peer.stream.close()


def test_who_sends_a_good_deal_at_once_stays(gateway: Gateway) -> None:
    """Three hundred pings in one write are answered, and so are a few fragments without content."""
    peer = open_socket(gateway, 200)
    peer.write(frame(TEXT, b"ping") * 150 + frame(PING, b"x") * 150)
    for _ in range(300):
        peer.read()
    assert peer.got == [(TEXT, b"pong")] * 150 + [(PONG, b"x")] * 150
    peer.write(BEGIN + EMPTY * 5 + frame(CONTINUATION, b"ping"))
    assert peer.read() == (TEXT, b"pong")
    peer.sock.close()
    peer.stream.close()
