"""PostgreSQL's connections of an ingest process, divided up by what they are for.

No share can take another's: however many people list and read, sends are accepted, and who asks whether the
process is ready does not wait behind them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta

from ingest.telemetry import Telemetry
from storage import sessions
from storage.database import Database
from storage.model.caller import AppCaller, Caller
from storage.model.errors import OverLimit
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
            limits=sessions.LIST if name == "lists" else sessions.INGEST,
            tell_wait=telemetry.database_wait.labels(name).observe,
            tell_busy=telemetry.database_busy.labels(name).inc,
        )

    return Shares(**{name: share(name, size) for name, size in sizes(settings.pool_size).items()})


def sizes(pool_size: int) -> dict[str, int]:
    """How many of `pool_size` connections each share has: one at least, and together no more where there are enough."""
    whole = sum(_PARTS.values())
    return {name: max(1, pool_size * part // whole) for name, part in _PARTS.items()}


# In hand at once, of one caller: one is asked, the others wait their turn.
_OF_A_PERSON, _OF_AN_APP = 8, 32
_PATIENCE = timedelta(seconds=5)
TOO_MANY = "You have too many lists in hand; wait for their answers."


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_hand: int = 0


class Lists:
    """The share `lists`, of which one caller gets one connection at a time."""

    def __init__(self, database: Database, *, patience: timedelta = _PATIENCE) -> None:
        """`patience`: how long a question waits for those that the same caller asked before."""
        self._database = database
        self._patience_seconds = patience.total_seconds()
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator[Database]:
        """The caller's turn to ask. Raises OverLimit when it has too much in hand, or has waited too long."""
        turn = self._turns.setdefault(caller.key, _Turn())
        if turn.in_hand >= (_OF_AN_APP if isinstance(caller, AppCaller) else _OF_A_PERSON):
            raise OverLimit(TOO_MANY, retry_after_seconds=1)
        turn.in_hand += 1
        try:
            await self._wait(turn.lock)
            try:
                yield self._database
            finally:
                turn.lock.release()
        finally:
            turn.in_hand -= 1
            if not turn.in_hand:
                del self._turns[caller.key]

    async def _wait(self, lock: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(self._patience_seconds):
                await lock.acquire()
        except TimeoutError:
            raise OverLimit(TOO_MANY, retry_after_seconds=1) from None
