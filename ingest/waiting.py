"""`Prefer: wait`: holds an answer back until its message is in the histories (contract §2).

One question now and then for all who wait, however many.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta

from storage import accepted, broadcast_reports
from storage.database import Database
from storage.model.errors import TryLater

_ASK_EVERY_SECONDS = 0.02


class Watch:
    """Tells when messages and broadcasts have arrived."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages: dict[int, list[asyncio.Event]] = defaultdict(list)
        self._broadcasts: dict[int, list[asyncio.Event]] = defaultdict(list)
        self._asking: asyncio.Task[None] | None = None

    async def delivered(self, id: int, *, is_broadcast: bool, within: timedelta) -> bool:
        """Wait until the message is in every history it goes to; False if not within the time."""
        wanted = self._broadcasts if is_broadcast else self._messages
        arrived = asyncio.Event()
        wanted[id].append(arrived)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_on())
        try:
            async with asyncio.timeout(within.total_seconds()):
                await arrived.wait()
        except TimeoutError:
            return False
        finally:
            wanted[id].remove(arrived)
            if not wanted[id]:
                del wanted[id]
        return True

    async def _ask_on(self) -> None:
        try:
            while self._messages or self._broadcasts:
                await asyncio.sleep(_ASK_EVERY_SECONDS)
                await self._ask()
        finally:
            self._asking = None

    async def _ask(self) -> None:
        messages, sent_to_many = set(self._messages), set(self._broadcasts)
        try:
            if messages:
                waiting = await self._database.ask(accepted.still_waiting, messages)
                self._tell(self._messages, messages - waiting)
            if sent_to_many:
                finished = await self._database.ask(broadcast_reports.finished, sent_to_many)
                self._tell(self._broadcasts, finished)
        except TryLater:
            return

    def _tell(self, wanted: dict[int, list[asyncio.Event]], arrived: set[int]) -> None:
        for one in arrived:
            for event in wanted.get(one, ()):
                event.set()
