"""How much is waiting to be delivered, measured now and then: for gauges, and for the cap of the intake."""

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
    """Measures the backlog in the background, and adds what this process accepts in between.

    Several processes may together pass the cap, by what they accept within one interval.
    """

    def __init__(self, database: Database, *, cap: int, interval: timedelta) -> None:
        self._database = database
        self._cap = cap
        self._interval_seconds = interval.total_seconds()
        self._accepted_since = 0
        self.latest = Backlog(waiting=0, oldest_seconds=0.0, failed=0)

    @property
    def is_full(self) -> bool:
        """Whether no more may be accepted now."""
        return self.latest.waiting + self._accepted_since >= self._cap

    def note_accepted(self, count: int) -> None:
        """Add `count` sends that this process has just accepted."""
        self._accepted_since += count

    async def measure(self) -> None:
        """Measure now. Raises TransientError, and the last measure stands."""
        before = self._accepted_since
        self.latest = await self._database.query(backlog.measure_backlog)
        # What was accepted during the query may be in its count or not: it stays added until the next one.
        self._accepted_since -= before

    async def keep_measuring(self, report: Callable[[Backlog], None]) -> None:
        """Measure every interval and give each measure to `report`, until cancelled."""
        while True:
            # gather returns what was raised: no error may end the measuring.
            [outcome] = await asyncio.gather(self.measure(), return_exceptions=True)
            if isinstance(outcome, Exception) and not isinstance(outcome, TransientError):
                _log.error("The backlog cannot be counted: %s", type(outcome).__name__)
            report(self.latest)
            await asyncio.sleep(self._interval_seconds)
