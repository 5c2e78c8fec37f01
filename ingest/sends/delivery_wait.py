"""`Prefer: wait`: an answer waits until its message is in the histories (contract §2).

The record is asked once in a while for all who wait, however many they are.
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

_POLL_SECONDS = 0.02


class DeliveryWaiter:
    """Waits for messages and broadcasts to arrive."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages: dict[int, list[asyncio.Future[bool]]] = defaultdict(list)
        self._broadcasts: dict[int, list[asyncio.Future[bool]]] = defaultdict(list)
        self._polling: asyncio.Task[None] | None = None

    async def wait_until_delivered(self, id: int, *, is_broadcast: bool, within: timedelta) -> bool:
        """Wait until the message is in every history it goes to: True.

        False if that takes longer than `within`, and as soon as it is known that the message will not arrive: it failed, or was
        taken back. While the record is away the wait goes on.
        """
        waiters = self._broadcasts if is_broadcast else self._messages
        arrival: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiters[id].append(arrival)
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll_while_waited_for())
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await arrival
        except TimeoutError:
            return False
        finally:
            waiters[id].remove(arrival)
            if not waiters[id]:
                del waiters[id]

    async def _poll_while_waited_for(self) -> None:
        try:
            while self._messages or self._broadcasts:
                await asyncio.sleep(_POLL_SECONDS)
                await self._poll()
        finally:
            self._polling = None

    async def _poll(self) -> None:
        try:
            if self._messages:
                await self._poll_messages(set(self._messages))
            if self._broadcasts:
                ended = await self._database.query(reports.find_ended, set(self._broadcasts))
                done = {id for id, is_done in ended.items() if is_done}
                _wake(self._broadcasts, ended, delivered=done)
        except TransientError:
            return

    async def _poll_messages(self, ids: set[int]) -> None:
        gone = ids - await self._database.query(backlog.find_waiting, ids)
        if gone:
            delivered = await self._database.query(lookup.find_persisted, gone)
            _wake(self._messages, gone, delivered=delivered)


def _wake(
    waiters: dict[int, list["asyncio.Future[bool]"]], ended: Iterable[int], *, delivered: set[int]
) -> None:
    for id in ended:
        for arrival in waiters.get(id, ()):
            if not arrival.done():
                arrival.set_result(id in delivered)
