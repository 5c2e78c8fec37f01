"""Heads of HTTP requests as bytes: where they end, how large they are, and one without its upgrade.

Used by `protocol.py`; what a head means is the parser's to say.
"""

from collections.abc import Iterable

HEAD_END = b"\r\n\r\n"

Headers = Iterable[tuple[bytes, bytes]]


def end_of_heads(data: bytes, start: int, end: int, *, count: int) -> int:
    """Where at most `count` heads have ended after `start`, or `end`.

    A body may hold what looks like an end; then it is found sooner than it had to be.
    """
    for _ in range(count):
        found = data.find(HEAD_END, start, end)
        if found < 0:
            return end
        start = found + len(HEAD_END)
    return start


def size_of(headers: Headers) -> int:
    """Bytes of these headers' lines."""
    return sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def has_body(headers: Headers) -> bool:
    """Whether a body is announced."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )


def without_upgrade(headers: Headers) -> bytes:
    """The lines of these headers, but for `Upgrade`, and the end of their head."""
    lines = [b"%b: %b\r\n" % pair for pair in headers if pair[0] != b"upgrade"]
    return b"".join(lines) + b"\r\n"
