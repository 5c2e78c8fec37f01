"""When the pool of a worker has done something last, for its main process; and whether a pool process does nothing.

A task that was taken and failed is nothing done: a process without descriptors takes whatever comes, and fails at it.
"""

import mmap
import struct
import time
from collections.abc import Callable

_TIME = struct.Struct("d")


class Done:
    """Made before the pool is forked: its memory is shared, and CLOCK_MONOTONIC is the same for all."""

    def __init__(
        self, *, limit_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`limit_seconds`: for how long a pool process may fail at everything."""
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._memory = mmap.mmap(-1, _TIME.size)
        self._failing_since: float | None = None
        self.note()

    @property
    def at(self) -> float:
        """When a task was done last, by any process; at first: when this was made."""
        [instant] = _TIME.unpack_from(self._memory)
        return float(instant)

    def note(self) -> None:
        """A task was done."""
        _TIME.pack_into(self._memory, 0, self._clock())
        self._failing_since = None

    def note_failure(self) -> bool:
        """A task failed; True: this process has done nothing else for as long as it may."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since >= self._limit_seconds
