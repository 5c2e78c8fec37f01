"""Valkey's own clock, by which what it keeps expires; no stand-in can set it."""

import redis

from ops.local.polling import wait_until


def wait_for_clock(url: str, *, seconds: float) -> None:
    """Return when Valkey's clock has gone on by more than `seconds`."""
    with redis.Redis.from_url(url) as client:

        def read() -> float:
            whole, millionths = client.time()
            return float(whole) + float(millionths) / 1e6

        end = read() + seconds
        assert wait_until(lambda: read() > end, seconds=seconds + 30)
