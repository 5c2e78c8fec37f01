"""Who and what requests name: people, apps and mappings, remembered for a moment.

Asked for every request, so never one query a request: what is not remembered is gathered and asked
together. What refuses a request (nobody, disabled) is asked for anew, so that a person who has just been
made or enabled can go on at once. Only an app's string id, which anyone can make up, is remembered for a
moment as nobody's, and new ones are asked for apart and few at a time: strangers hold up nobody else.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from ingest.micro_batcher import MicroBatcher
from ingest.settings import IngestSettings
from storage.model.caller import App, Person
from storage.model.errors import CarillonError
from storage.model.media import MediaObject
from storage.postgres import media_objects
from storage.postgres.database import Database
from storage.postgres.people import apps, directory

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Look-ups asked for together; one query, by primary key.
_TOGETHER = 1000
# What a made-up app id costs: one place among so many that wait, and one in a query a second.
_STRANGERS = 1000
_ABSENT_SECONDS = 1.0
_ABSENT_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class KnownApp:
    """An app and its live secrets; `repr` shows no secret."""

    app: App
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"KnownApp({self.app.app_id!r})"


class LookupCache(Generic[Key, Value]):
    """Answers of one kind of look-up, remembered if they let a request pass.

    None is older than `lookup_lifetime`. What is asked for again and again is looked up anew before it
    is that old, all of it together, so that a busy process hardly ever looks up for one request.
    """

    def __init__(
        self,
        look_up: Callable[[Sequence[Key]], Awaitable[Sequence[Value | CarillonError | None]]],
        *,
        settings: IngestSettings,
        passes: Callable[[Value], bool],
        absent_seconds: float = 0.0,
        strangers: int | None = None,
        look_up_strangers: Callable[
            [Sequence[Key]], Awaitable[Sequence[Value | CarillonError | None]]
        ]
        | None = None,
    ) -> None:
        """`absent_seconds`: for how long what does not exist is remembered not to.

        `strangers`: of keys that were never found at most so many wait to be looked up, apart from the
        others, and by `look_up_strangers` if there is one; None: all wait together.
        """
        self._look_up = look_up
        self._passes = passes
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self._size = settings.lookup_size
        # Not a cachetools.TTLCache: that costs every request far more.
        self._known: dict[Key, tuple[Value, float]] = {}
        self._again: set[Key] = set()
        self._absent_seconds = absent_seconds
        self._absent: dict[Key, float] = {}
        patience = settings.lookup_patience
        self._asked: MicroBatcher[Key, Value | None] = MicroBatcher(
            look_up, size=_TOGETHER, patience=patience
        )
        self._asked_by_strangers = (
            self._asked
            if strangers is None
            else MicroBatcher(
                look_up_strangers or look_up,
                size=_TOGETHER,
                patience=patience,
                waiting_cap=strangers,
            )
        )

    async def find(self, key: Key) -> Value | None:
        """What is known of `key`; None if there is no such thing. Raises TransientError."""
        known = self.remembered(key)
        if known is None and self._absent.get(key, 0.0) <= time.monotonic():
            return await self.find_anew(key)
        return known

    def remembered(self, key: Key) -> Value | None:
        """What is remembered of `key`, if anything, for whoever would rather not await."""
        known = self._known.get(key)
        if known is None or known[1] <= time.monotonic():
            return None
        self._again.add(key)
        return known[0]

    async def find_anew(self, key: Key) -> Value | None:
        """The same, as it is now."""
        began = time.monotonic()
        batches = self._asked if key in self._known else self._asked_by_strangers
        value = await batches.submit(key)
        self._note(key, value, since=began)
        return value

    async def refresh(self) -> None:
        """Look up anew what was asked for again since the last time. Raises TransientError."""
        keys, self._again = list(self._again), set()
        for start in range(0, len(keys), _TOGETHER):
            part = keys[start : start + _TOGETHER]
            began = time.monotonic()
            for key, value in zip(part, await self._look_up(part), strict=True):
                # What failed is not remembered longer: the requests that need it will say why.
                if not isinstance(value, CarillonError):
                    self._note(key, value, since=began)

    def _note(self, key: Key, value: Value | None, *, since: float) -> None:
        if value is None and self._absent_seconds:
            if len(self._absent) >= _ABSENT_SIZE:
                self._absent.clear()
            self._absent[key] = since + self._absent_seconds
        if value is None or not self._passes(value):
            self._known.pop(key, None)
            return
        if len(self._known) >= self._size:
            self._known.clear()
        self._known[key] = value, since + self._lifetime_seconds


class Lookups:
    """Everything that requests name."""

    def __init__(
        self,
        database: Database,
        *,
        strangers: Database,
        vault: apps.Vault,
        settings: IngestSettings,
    ) -> None:
        """`strangers`: the share of the record that may be spent on who is called and may not exist."""
        self._database = database
        self._vault = vault
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self.people: LookupCache[int, Person] = LookupCache(
            self._find_people, settings=settings, passes=lambda person: person.is_active
        )
        self.apps: LookupCache[str, KnownApp] = LookupCache(
            partial(self._find_apps, database),
            settings=settings,
            passes=lambda known: known.app.is_active,
            absent_seconds=_ABSENT_SECONDS,
            strangers=_STRANGERS,
            look_up_strangers=partial(self._find_apps, strangers),
        )
        # Never remembered: an object is sent once.
        self.objects: MicroBatcher[str, MediaObject | None] = MicroBatcher(
            self._find_objects, size=_TOGETHER, patience=settings.lookup_patience
        )
        # (app's integer id, its name for someone) → that someone's user id.
        self.accounts: LookupCache[tuple[int, str], int] = LookupCache(
            self._find_accounts, settings=settings, passes=lambda _user_id: True
        )

    async def keep_fresh(self) -> None:
        """Look up anew what is in use, twice in its lifetime, until cancelled."""
        while self._lifetime_seconds:
            await asyncio.sleep(self._lifetime_seconds / 2)
            kinds = (self.people, self.apps, self.accounts)
            # What fails is not remembered longer: the requests that need it will say why.
            await asyncio.gather(*(kind.refresh() for kind in kinds), return_exceptions=True)

    async def _find_people(self, ids: Sequence[int]) -> list[Person | None]:
        found = await self._database.query(directory.find_many, set(ids))
        return [found.get(user_id) for user_id in ids]

    async def _find_apps(
        self, database: Database, app_ids: Sequence[str]
    ) -> list[KnownApp | CarillonError | None]:
        found = await database.query(apps.find_callers, set(app_ids), vault=self._vault)
        known: dict[str, KnownApp | CarillonError] = {
            app_id: one if isinstance(one, CarillonError) else KnownApp(*one)
            for app_id, one in found.items()
        }
        return [known.get(app_id) for app_id in app_ids]

    async def _find_objects(self, keys: Sequence[str]) -> Sequence[MediaObject | None]:
        return await self._database.query(media_objects.find, keys)

    async def _find_accounts(self, accounts: Sequence[tuple[int, str]]) -> list[int | None]:
        names: dict[int, set[str]] = defaultdict(set)
        for app_id, app_user_id in accounts:
            names[app_id].add(app_user_id)
        found: dict[int, dict[str, int]] = {
            app_id: await self._database.query(apps.resolve_many, app_id, app_user_ids=wanted)
            for app_id, wanted in names.items()
        }
        return [found[app_id].get(app_user_id) for app_id, app_user_id in accounts]
