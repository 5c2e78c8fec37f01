"""Heads of HTTP requests as bytes: where they end, how large they are, and one without its upgrade.

Used by `protocol.py`; what a head means is the parser's to say.
"""

from collections.abc import Iterable

HEAD_END = b"\r\n\r\n"

Headers = Iterable[tuple[bytes, bytes]]


def find_end_of_heads(data: bytes, start: int, end: int, *, count: int) -> int:
    """The index behind the `count`-th head after `start`; `end` if fewer heads end before that.

    A body may hold what looks like the end of a head; then the index is lower than it had to be.
    """
    for _ in range(count):
        found = data.find(HEAD_END, start, end)
        if found < 0:
            return end
        start = found + len(HEAD_END)
    return start


def measure_headers(headers: Headers) -> int:
    """The number of bytes that these headers' lines have."""
    return sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def has_body(headers: Headers) -> bool:
    """Whether these headers announce a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )


def encode_without_upgrade(headers: Headers) -> bytes:
    """The lines of these headers without `Upgrade`, and the empty line behind them."""
    lines = [b"%b: %b\r\n" % pair for pair in headers if pair[0] != b"upgrade"]
    return b"".join(lines) + b"\r\n"
