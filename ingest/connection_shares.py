"""The connections of an ingest process to PostgreSQL, divided into shares by what they are for.

No share can take another's connections: sends are accepted, and probes answered, however many people list and read
(docs/decisions/0018-shares-of-connections.md). Within the shares that callers read from, one caller's requests wait for
one another, and not for anybody else's.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from ingest.metrics import IngestMetrics
from storage.model.caller import AppCaller, Caller
from storage.model.error_codes import ErrorCode
from storage.model.errors import OverLimit
from storage.postgres import session_limits
from storage.postgres.database import Database
from storage.settings import DatabaseSettings

# How the default of 16 connections is divided; other numbers in the same proportions. Sending commits one batch at a
# time and looks up people in batches. Lists are long queries: three of them are what a small server can spare.
_PARTS = {"sends": 5, "reads": 5, "lists": 3, "strangers": 1, "probes": 2}


@dataclass(frozen=True, slots=True)
class ConnectionShares:
    """PostgreSQL, once for each use.

    `sends`: accepting, and looking up callers and the people and apps that a send names. `reads`: what people and apps
    read and change of their own. `lists`: queries whose cost grows with the organisation (to be asked through
    `ListSlots`). `strangers`: looking up ids that may not exist. `probes`: whether the database answers, and how much
    is waiting.
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


def open_shares(settings: DatabaseSettings, metrics: IngestMetrics) -> ConnectionShares:
    """The shares of this process, each of one connection or more; nothing connects yet."""

    def open_share(name: str, size: int) -> Database:
        return Database(
            replace(settings, pool_size=size),
            application_name=f"carillon ingest {name}",
            limits=session_limits.LIST if name == "lists" else session_limits.INGEST,
            tell_wait=metrics.database_wait.labels(name).observe,
            tell_busy=metrics.database_busy.labels(name).inc,
        )

    return ConnectionShares(
        **{name: open_share(name, size) for name, size in share_sizes(settings.pool_size).items()}
    )


def share_sizes(pool_size: int) -> dict[str, int]:
    """How many of `pool_size` connections each share has, by its name.

    Each has one at least, so that together they may be more than `pool_size` if that is very small.
    """
    whole = sum(_PARTS.values())
    return {name: max(1, pool_size * part // whole) for name, part in _PARTS.items()}


# How many requests of one caller may be under way or waiting; more are refused. A browser loads a page over HTTP/2
# with some twenty requests.
_REQUESTS_OF_A_PERSON, _REQUESTS_OF_AN_APP = 32, 128
_LISTS_OF_A_PERSON, _LISTS_OF_AN_APP = 8, 32
_PATIENCE = timedelta(seconds=5)
TOO_MANY = "You have too many requests in hand; wait for their answers."


@dataclass(slots=True)
class _Queue:
    places: asyncio.Semaphore
    requests: int = 0


class CallerSlots:
    """Lets at most `at_once` requests of one caller be under way; its others wait for them, and nobody else's do."""

    def __init__(
        self,
        *,
        at_once: int,
        of_a_person: int = _REQUESTS_OF_A_PERSON,
        of_an_app: int = _REQUESTS_OF_AN_APP,
        patience: timedelta = _PATIENCE,
    ) -> None:
        """`of_a_person`, `of_an_app`: how many requests of one caller may be under way or waiting.

        `patience`: how long one of them waits.
        """
        self._at_once = at_once
        self._of_a_person = of_a_person
        self._of_an_app = of_an_app
        self._patience_seconds = patience.total_seconds()
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def take(self, caller: Caller) -> AsyncIterator[None]:
        """A slot of the caller, until the end of the block.

        Raises OverLimit when too many of the caller's requests are in hand, or this one has waited too long.
        """
        key = caller.key
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(asyncio.Semaphore(self._at_once))
        allowed = self._of_an_app if isinstance(caller, AppCaller) else self._of_a_person
        if queue.requests >= allowed:
            raise OverLimit(TOO_MANY, retry_after_seconds=1, code=ErrorCode.TOO_MANY_AT_ONCE)
        queue.requests += 1
        try:
            await self._wait_for_place(queue.places)
            try:
                yield
            finally:
                queue.places.release()
        finally:
            queue.requests -= 1
            if not queue.requests:
                del self._queues[key]

    async def _wait_for_place(self, places: asyncio.Semaphore) -> None:
        if not places.locked():
            await places.acquire()  # without a timer: there is a place
            return
        try:
            async with asyncio.timeout(self._patience_seconds):
                await places.acquire()
        except TimeoutError:
            raise OverLimit(
                TOO_MANY, retry_after_seconds=1, code=ErrorCode.TOO_MANY_AT_ONCE
            ) from None


def slots_for_reads() -> CallerSlots:
    """The slots at the share `reads`: two callers who ask for all they can get leave a connection for the others."""
    return CallerSlots(at_once=2)


class ListSlots:
    """The slots at the share `lists`: one caller has one of its connections at a time."""

    def __init__(self, database: Database, *, patience: timedelta = _PATIENCE) -> None:
        """`patience`: how long a query waits for those that the same caller asked before."""
        self._database = database
        self._slots = CallerSlots(
            at_once=1,
            of_a_person=_LISTS_OF_A_PERSON,
            of_an_app=_LISTS_OF_AN_APP,
            patience=patience,
        )

    @asynccontextmanager
    async def take(self, caller: Caller) -> AsyncIterator[Database]:
        """A slot of the caller at the share, until the end of the block. Raises OverLimit as `CallerSlots.take` does."""
        async with self._slots.take(caller):
            yield self._database
