"""Waiting until something is true, for code that may block its thread: commands, benches and tests."""

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `condition` came true within `seconds`; it is asked at least once, and what it raises is passed on.

    A `condition` that takes long makes the wait longer: it is not interrupted.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(PAUSE_SECONDS)
    return True
