"""`Prefer: wait`: holds an answer back until its message is in the histories (contract §2).

One question now and then for all who wait, however many.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from storage.model.errors import TransientError
from storage.postgres.broadcasts import reports
from storage.postgres.database import Database
from storage.postgres.messages import lookup
from storage.postgres.sends import backlog

_ASK_EVERY_SECONDS = 0.02


class DeliveryWaiter:
    """Tells when messages and broadcasts have arrived, or that they never will."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages: dict[int, list[asyncio.Future[bool]]] = defaultdict(list)
        self._broadcasts: dict[int, list[asyncio.Future[bool]]] = defaultdict(list)
        self._asking: asyncio.Task[None] | None = None

    async def delivered(self, id: int, *, is_broadcast: bool, within: timedelta) -> bool:
        """Wait until the message is in every history it goes to.

        False if not within the time; and as soon as it is known that it will not be: it failed, or was
        taken back.
        """
        wanted = self._broadcasts if is_broadcast else self._messages
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        wanted[id].append(outcome)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_on())
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await outcome
        except TimeoutError:
            return False
        finally:
            wanted[id].remove(outcome)
            if not wanted[id]:
                del wanted[id]

    async def _ask_on(self) -> None:
        try:
            while self._messages or self._broadcasts:
                await asyncio.sleep(_ASK_EVERY_SECONDS)
                await self._ask()
        finally:
            self._asking = None

    async def _ask(self) -> None:
        sent, sent_to_many = set(self._messages), set(self._broadcasts)
        try:
            if sent:
                waiting = await self._database.query(backlog.find_waiting, sent)
                if gone := sent - waiting:
                    there = await self._database.query(lookup.find_persisted, gone)
                    _tell(self._messages, gone, there=there)
            if sent_to_many:
                ended = await self._database.query(reports.find_ended, sent_to_many)
                done = {id for id, is_done in ended.items() if is_done}
                _tell(self._broadcasts, ended.keys(), there=done)
        except TransientError:
            return


def _tell(
    wanted: dict[int, list["asyncio.Future[bool]"]], ended: Iterable[int], *, there: set[int]
) -> None:
    for one in ended:
        for outcome in wanted.get(one, ()):
            if not outcome.done():
                outcome.set_result(one in there)
