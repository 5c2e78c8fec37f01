"""Whether a worker gets anything done: what its pool tells its main process, whose watchdog judges by it.

A task that was taken and failed does not count: a process without descriptors takes whatever comes, and fails at it.
"""

import mmap
import struct
import time
from collections.abc import Callable

_INSTANT = struct.Struct("d")


class Liveness:
    """When a task succeeded last in any process of a pool, and since when this process has only failed.

    Make it before the pool is forked: its memory is then shared. Its instants are seconds of CLOCK_MONOTONIC, which is
    the same for all processes of a machine.
    """

    def __init__(
        self, *, limit_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`limit_seconds`: for how long one process may fail at everything."""
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._shared = mmap.mmap(-1, _INSTANT.size)
        self._failing_since: float | None = None
        self.record_success()

    @property
    def last_success_at(self) -> float:
        """When a task succeeded last, in any process; before the first: when this object was made."""
        [instant] = _INSTANT.unpack_from(self._shared)
        return float(instant)

    def record_success(self) -> None:
        """Note that a task succeeded now, in this process."""
        _INSTANT.pack_into(self._shared, 0, self._clock())
        self._failing_since = None

    def record_failure(self) -> bool:
        """Note that a task failed now, in this process; True: it has done nothing but fail for `limit_seconds`."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since >= self._limit_seconds
