"""`GET /apps/me/events?wait=`: a pull waits until there is an event for its app (contract §9).

The record is asked once in a while for all pulls that wait, so that none of them holds a connection.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from storage.model.error_codes import ErrorCode
from storage.model.errors import OverLimit, TransientError
from storage.postgres.app_events import reading
from storage.postgres.database import Database

_POLL_SECONDS = 0.25
# One is enough for an app; some more are let in while a client that went away is not noticed yet.
WAITS_OF_AN_APP = 4


@dataclass(eq=False, slots=True)
class _Wait:
    app_id: int
    after: int
    arrival: "asyncio.Future[None]"


class AppEventWaiter:
    """Waits for events of apps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waits: list[_Wait] = []
        self._polling: asyncio.Task[None] | None = None

    async def wait_for_event(self, app_id: int, *, after: int, within: timedelta) -> None:
        """Wait until the app has an event after the number `after`, perhaps one that has no number yet, or time is over.

        While the record is away the wait goes on. Raises OverLimit when too many pulls of the app wait already.
        """
        if sum(wait.app_id == app_id for wait in self._waits) >= WAITS_OF_AN_APP:
            raise OverLimit(
                f"{WAITS_OF_AN_APP} pulls of this app wait already.",
                retry_after_seconds=1,
                code=ErrorCode.TOO_MANY_AT_ONCE,
            )
        wait = _Wait(app_id, after, asyncio.get_running_loop().create_future())
        self._waits.append(wait)
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll_while_waited_for())
        try:
            async with asyncio.timeout(within.total_seconds()):
                await wait.arrival
        except TimeoutError:
            return
        finally:
            self._waits.remove(wait)

    async def _poll_while_waited_for(self) -> None:
        try:
            while self._waits:
                await asyncio.sleep(_POLL_SECONDS)
                await self._poll()
        finally:
            self._polling = None

    async def _poll(self) -> None:
        waits = list(self._waits)
        asked = [(wait.app_id, wait.after) for wait in waits]
        try:
            found = await self._database.query(reading.find_pulls_with_events, asked)
        except TransientError:
            return
        for place in found:
            if not waits[place].arrival.done():
                waits[place].arrival.set_result(None)
