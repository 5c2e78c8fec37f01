"""PostgreSQL's connections of an ingest process, divided up by what they are for.

No share can take another's: however many people list and read, sends are accepted, and who asks whether the
process is ready does not wait behind them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from ingest.metrics import Telemetry
from storage.model.caller import AppCaller, Caller
from storage.model.errors import OverLimit
from storage.postgres import session_limits
from storage.postgres.database import Database
from storage.settings import DatabaseSettings

# Of 16 connections, which is the default. Sending commits one batch at a time, and looks up who is named, all who
# ask together; lists are long questions, and as many as these are what a small server can spare for them.
_PARTS = {"sends": 5, "reads": 5, "lists": 3, "strangers": 1, "probes": 2}


@dataclass(frozen=True, slots=True)
class Shares:
    """The record, once for each use.

    `sends`: accepting, and looking up who is calling and named. `reads`: what people read and change of their own.
    `lists`: questions whose cost grows with the organisation (ask through `Lists`). `strangers`: who is called that
    may not exist. `probes`: is the record there, how much is waiting.
    """

    sends: Database
    reads: Database
    lists: Database
    strangers: Database
    probes: Database

    async def close(self) -> None:
        """Close every connection."""
        for share in fields(self):
            await getattr(self, share.name).close()


def open_shares(settings: DatabaseSettings, telemetry: Telemetry) -> Shares:
    """The shares of this process, at least one connection each; nothing connects yet."""

    def share(name: str, size: int) -> Database:
        return Database(
            replace(settings, pool_size=size),
            application_name=f"carillon ingest {name}",
            limits=session_limits.LIST if name == "lists" else session_limits.INGEST,
            tell_wait=telemetry.database_wait.labels(name).observe,
            tell_busy=telemetry.database_busy.labels(name).inc,
        )

    return Shares(**{name: share(name, size) for name, size in sizes(settings.pool_size).items()})


def sizes(pool_size: int) -> dict[str, int]:
    """How many of `pool_size` connections each share has: one at least, and together no more where there are enough."""
    whole = sum(_PARTS.values())
    return {name: max(1, pool_size * part // whole) for name, part in _PARTS.items()}


# In hand at once, of one caller; more is refused. A browser loads a page over HTTP/2 with some twenty requests.
_OF_A_PERSON, _OF_AN_APP = 32, 128
_LISTS_OF_A_PERSON, _LISTS_OF_AN_APP = 8, 32
_PATIENCE = timedelta(seconds=5)
TOO_MANY = "You have too many requests in hand; wait for their answers."


@dataclass(slots=True)
class _Queue:
    places: asyncio.Semaphore
    in_hand: int = 0


class Turns:
    """At most `at_once` of one caller's requests are under way; its others wait, and nobody else's do."""

    def __init__(
        self,
        *,
        at_once: int,
        of_a_person: int = _OF_A_PERSON,
        of_an_app: int = _OF_AN_APP,
        patience: timedelta = _PATIENCE,
    ) -> None:
        """`of_…`: how many may be in hand, under way or waiting; `patience`: how long one waits."""
        self._at_once = at_once
        self._of_a_person = of_a_person
        self._of_an_app = of_an_app
        self._patience_seconds = patience.total_seconds()
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator[None]:
        """The caller's turn. Raises OverLimit when it has too much in hand, or has waited too long."""
        key = caller.key
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(asyncio.Semaphore(self._at_once))
        allowed = self._of_an_app if isinstance(caller, AppCaller) else self._of_a_person
        if queue.in_hand >= allowed:
            raise OverLimit(TOO_MANY, retry_after_seconds=1)
        queue.in_hand += 1
        try:
            await self._wait(queue.places)
            try:
                yield
            finally:
                queue.places.release()
        finally:
            queue.in_hand -= 1
            if not queue.in_hand:
                del self._queues[key]

    async def _wait(self, places: asyncio.Semaphore) -> None:
        if not places.locked():
            await places.acquire()  # at once
            return
        try:
            async with asyncio.timeout(self._patience_seconds):
                await places.acquire()
        except TimeoutError:
            raise OverLimit(TOO_MANY, retry_after_seconds=1) from None


def reading_turns() -> Turns:
    """For the share `reads`: two callers who ask for all they can get leave a connection for the others."""
    return Turns(at_once=2)


class Lists:
    """The share `lists`, of which one caller gets one connection at a time."""

    def __init__(self, database: Database, *, patience: timedelta = _PATIENCE) -> None:
        """`patience`: how long a question waits for those that the same caller asked before."""
        self._database = database
        self._turns = Turns(
            at_once=1,
            of_a_person=_LISTS_OF_A_PERSON,
            of_an_app=_LISTS_OF_AN_APP,
            patience=patience,
        )

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator[Database]:
        """The caller's turn to ask. Raises OverLimit when it has too much in hand, or has waited too long."""
        async with self._turns.turn(caller):
            yield self._database
