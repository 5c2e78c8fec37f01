"""How much is waiting to be delivered, counted now and then: a gauge, and the intake's cap."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from storage.model.errors import TransientError
from storage.postgres.database import Database
from storage.postgres.sends import backlog
from storage.postgres.sends.backlog import Backlog

_log = logging.getLogger(__name__)


class BacklogMonitor:
    """Counts in the background; between two counts what this process accepted is added.

    Several processes may together pass the cap by what they accept within one interval.
    """

    def __init__(self, database: Database, *, cap: int, interval: timedelta) -> None:
        self._database = database
        self._cap = cap
        self._interval_seconds = interval.total_seconds()
        self._since = 0
        self.last = Backlog(waiting=0, oldest_seconds=0.0, failed=0)

    @property
    def is_full(self) -> bool:
        """Whether no more may be accepted now."""
        return self.last.waiting + self._since >= self._cap

    def add(self, count: int) -> None:
        """Note that `count` sends were accepted."""
        self._since += count

    async def count(self) -> None:
        """Count now. Raises TransientError, and the last count stands."""
        before = self._since
        self.last = await self._database.query(backlog.measure_backlog)
        # What was accepted while counting may or may not be in the count: count it twice, once.
        self._since -= before

    async def run(self, *, tell: Callable[[Backlog], None]) -> None:
        """Count every interval and tell the count, until cancelled."""
        while True:
            # gather hands over what was raised: nothing may end the counting.
            [outcome] = await asyncio.gather(self.count(), return_exceptions=True)
            if isinstance(outcome, Exception) and not isinstance(outcome, TransientError):
                _log.error("The backlog cannot be counted: %s", type(outcome).__name__)
            tell(self.last)
            await asyncio.sleep(self._interval_seconds)
