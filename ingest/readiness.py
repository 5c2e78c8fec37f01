"""Whether the process can take work: asked once for all who want to know in the same moment.

A probe must have its answer when the process is busiest, and costs the record a question: who asks often gets the
answer of a moment ago.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

LIFETIME_SECONDS = 0.5


class Readiness:
    """What is away, as it was at most `lifetime_seconds` ago."""

    def __init__(
        self,
        *,
        lifetime_seconds: float = LIFETIME_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._asking: asyncio.Future[list[str]] | None = None
        self._until = 0.0

    async def away(self, ask: Callable[[], Awaitable[list[str]]]) -> list[str]:
        """The parts that are away; `ask` finds out, unless that is being done or was done just now."""
        if self._asking is None or (self._asking.done() and self._clock() >= self._until):
            self._asking = asyncio.ensure_future(self._find_out(ask))
        # Shielded: who gives up must not spoil it for the others.
        return await asyncio.shield(self._asking)

    async def _find_out(self, ask: Callable[[], Awaitable[list[str]]]) -> list[str]:
        found = await ask()
        self._until = self._clock() + self._lifetime_seconds
        return found
