"""A process that opens hostile connections of every kind until it is killed: `python -m tests.hostile.attack PORT TOKEN`.

A process of its own, so that what it costs itself is not taken for what it costs others.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from tests.ops.http.app import Wire
from tests.push_gateway.wire import CONTINUATION, TEXT, frame, shake_hands

BLOCK = b"x" * (1024 * 1024)
GETS = b"GET /api/v1/messages/unread-count HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000
POST = b"POST /api/v1/messages/ HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = frame(CONTINUATION, fin=False) * 10_000
# What is written first, and what then, over and over.
ENDLESS = (
    (b"GET / HTTP/1.1\r\nX: ", BLOCK),
    (b"", GETS),
    (CHUNKED + b"1\r\n{\r\n0\r\nX: ", BLOCK),
    (CHUNKED + b"1;x=", BLOCK),
    (CHUNKED, b"1\r\n{\r\n" * 50_000),
    (POST + b"Content-Length: 999999999\r\n\r\n", BLOCK),
)


def write_endlessly(port: int, begin: bytes, more: bytes) -> None:
    """Write up to 60 MB on one connection, and never read."""
    with Wire(port, seconds=1) as wire:
        wire.send(begin)
        for _ in range(60):
            wire.send(more)


def hold_half_heads(port: int) -> None:
    """Hold three hundred connections open for a second, each with half a head of a request."""
    with ExitStack() as opened:
        for _ in range(300):
            opened.enter_context(Wire(port)).send(b"GET /healthz HTTP/1.1\r\nHost: ")
        time.sleep(1)


def send_empty_fragments(port: int, token: str) -> None:
    """Send empty fragments of one message on a message socket, without an end."""
    peer = shake_hands(port, f"/api/v1/ws/messages?token={token}")
    with peer.sock, peer.stream:
        peer.sock.settimeout(1)
        peer.write(frame(TEXT, fin=False))
        for _ in range(20):
            peer.write(EMPTY)


def main(port: int, token: str) -> None:
    """Attack in every way at once."""
    attacks: list[Callable[[], None]] = [
        *(lambda one=one: write_endlessly(port, *one) for one in ENDLESS),
        lambda: hold_half_heads(port),
        lambda: send_empty_fragments(port, token),
    ]

    def repeat(attack: Callable[[], None]) -> None:
        while True:
            with suppress(OSError, AssertionError):
                attack()

    for attack in attacks:
        threading.Thread(target=repeat, args=(attack,)).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
