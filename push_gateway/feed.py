"""The one loop that reads the bus in a gateway process."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from push_gateway.metrics import GatewayMetrics
from push_gateway.resume.bus_view import BusView, FeedUpdate
from storage.model.errors import TransientError
from storage.valkey.bus_reader import Batch, Position

WAIT = timedelta(seconds=1)  # an idle bus is looked at this often: a wipe is noticed within it
SURVEY_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5  # seconds between attempts to connect
STALE_SECONDS = 5.0
FIRST_LIMIT = 16  # entries a shard in the first read: nothing is known of their size yet
READ_BYTES = 4 << 20  # of one read, about

log = logging.getLogger(__name__)


class Reader(Protocol):
    """What the feed needs of `storage.valkey.bus_reader.BusReader`."""

    async def connect(self) -> None:
        """Give up the connection that there is, and connect again; raises TransientError."""

    async def read(self, positions: list[Position], *, limit: int, wait: timedelta) -> Batch:
        """For each shard up to `limit` entries after its position; no entries if none come within `wait`.

        Raises TransientError.
        """

    async def survey(self, positions: list[Position], *, limit: int) -> Batch:
        """What `read` finds without waiting, with a survey of each shard. Raises TransientError."""


class Feed:
    """Reads batch after batch into the `BusView` and hands what is new to `dispatch`, for as long as it runs.

    When Valkey is away it connects again and goes on from where it was. Surveys find out whether anything was lost
    meanwhile: one at each start, one every SURVEY_SECONDS, and one whenever the feed has fallen behind.
    """

    def __init__(
        self,
        reader: Reader,
        bus_view: BusView,
        dispatch: Callable[[FeedUpdate], Awaitable[None]],
        *,
        limit: int,
        metrics: GatewayMetrics,
    ) -> None:
        self._reader = reader
        self._bus_view = bus_view
        self._dispatch = dispatch
        self._highest_limit = limit
        self._limit = min(FIRST_LIMIT, limit)
        self._metrics = metrics
        self._read_at = 0.0
        self._survey_at = 0.0

    @property
    def is_live(self) -> bool:
        """Whether clients that come now will get their events: the bus was read within the last STALE_SECONDS."""
        fresh = asyncio.get_running_loop().time() - self._read_at < STALE_SECONDS
        return self._bus_view.is_ready and fresh

    def _next_limit(self, batch: Batch) -> int:
        """The limit of the next read: fewer entries of a shard when they are large.

        What is read at once lies in the memory of Valkey and of this process.
        """
        size = sum(len(entry.payload) for entry in batch.entries)
        if size > READ_BYTES:
            return max(1, self._limit // 2)
        return min(self._highest_limit, self._limit * 2) if size < READ_BYTES // 4 else self._limit

    async def run(self) -> None:
        """Read until cancelled; TransientError never leaves it."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._reader.connect()
                self._survey_at = 0.0
                while True:
                    await self.step()
                    pause = FIRST_PAUSE
            except TransientError as error:
                self._metrics.feed_failures.inc()
                log.warning(
                    "The feed lost the bus, it connects again: %s", error.__cause__ or error
                )
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 spreads, hides nothing
                pause = min(pause * 2, LONGEST_PAUSE)

    async def step(self) -> None:
        """Read once, for up to a second, and dispatch what the read brought. Raises TransientError."""
        clock = asyncio.get_running_loop().time
        bus_view = self._bus_view
        bus_view.limit = self._limit
        if clock() >= self._survey_at or not bus_view.is_ready:
            batch = await self._reader.survey(bus_view.positions, limit=self._limit)
            self._survey_at = clock() + SURVEY_SECONDS
        else:
            batch = await self._reader.read(bus_view.positions, limit=self._limit, wait=WAIT)
        if bus_view.may_have_more(batch):
            self._survey_at = 0.0
        self._read_at = clock()
        self._limit = self._next_limit(batch)
        await self._dispatch(bus_view.receive(batch))
