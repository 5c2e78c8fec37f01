"""Whether the process can take work, found out once for all probes that come in the same moment.

Used by `/readyz`. A probe must be answered when the process is busiest, and each costs a query: those that come often
get the answer of a moment ago (docs/decisions/0018-shares-of-connections.md).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

LIFETIME_SECONDS = 0.5


class Readiness:
    """Remembers which parts did not answer, for `lifetime_seconds`; `clock` gives seconds."""

    def __init__(
        self,
        *,
        lifetime_seconds: float = LIFETIME_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._check: asyncio.Future[list[str]] | None = None
        self._valid_until = 0.0

    async def find_missing(self, check: Callable[[], Awaitable[list[str]]]) -> list[str]:
        """The names of the parts that do not answer, as they were at most `lifetime_seconds` ago; empty: all do.

        `check` finds it out, unless a check is under way or has just ended.
        """
        if self._check is None or (self._check.done() and self._clock() >= self._valid_until):
            self._check = asyncio.ensure_future(self._run(check))
        # Shielded: a probe that gives up must not cancel the check for the others.
        return await asyncio.shield(self._check)

    async def _run(self, check: Callable[[], Awaitable[list[str]]]) -> list[str]:
        missing = await check()
        self._valid_until = self._clock() + self._lifetime_seconds
        return missing
