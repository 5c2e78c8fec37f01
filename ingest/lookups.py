"""Who and what requests name: people, apps and mappings, remembered for a moment.

Asked for every request, so never one query a request: what is not remembered is gathered and asked
together. Only what lets a request pass is remembered; what refuses it (nobody, disabled) is asked for
anew, so that whoever has just been made or enabled can go on at once.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest.batches import Batches
from ingest.settings import IngestSettings
from storage import apps, people
from storage.database import Database
from storage.model.caller import App, Person

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Look-ups asked for together; one query, by primary key.
_TOGETHER = 1000


@dataclass(frozen=True, slots=True)
class KnownApp:
    """An app and its live secrets; `repr` shows no secret."""

    app: App
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"KnownApp({self.app.app_id!r})"


class Remembered(Generic[Key, Value]):
    """Answers of one kind of look-up, remembered if they let a request pass.

    None is older than `lookup_lifetime`. What is asked for again and again is looked up anew before it
    is that old, all of it together, so that a busy process hardly ever looks up for one request.
    """

    def __init__(
        self,
        look_up: Callable[[Sequence[Key]], Awaitable[Sequence[Value | None]]],
        *,
        settings: IngestSettings,
        passes: Callable[[Value], bool],
    ) -> None:
        self._look_up = look_up
        self._passes = passes
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self._size = settings.lookup_size
        # Not a cachetools.TTLCache: that costs every request ten times as much.
        self._known: dict[Key, tuple[Value, float]] = {}
        self._again: set[Key] = set()
        self._asked: Batches[Key, Value | None] = Batches(
            look_up, size=_TOGETHER, patience=settings.lookup_patience
        )

    async def find(self, key: Key) -> Value | None:
        """What is known of `key`; None if there is no such thing. Raises TryLater."""
        known = self.remembered(key)
        return await self.find_anew(key) if known is None else known

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
        value = await self._asked.ask(key)
        self._note(key, value, since=began)
        return value

    async def refresh(self) -> None:
        """Look up anew what was asked for again since the last time. Raises TryLater."""
        keys, self._again = list(self._again), set()
        for start in range(0, len(keys), _TOGETHER):
            part = keys[start : start + _TOGETHER]
            began = time.monotonic()
            for key, value in zip(part, await self._look_up(part), strict=True):
                self._note(key, value, since=began)

    def _note(self, key: Key, value: Value | None, *, since: float) -> None:
        if value is None or not self._passes(value):
            self._known.pop(key, None)
            return
        if len(self._known) >= self._size:
            self._known.clear()
        self._known[key] = value, since + self._lifetime_seconds


class Lookups:
    """Everything that requests name."""

    def __init__(self, database: Database, *, vault: apps.Vault, settings: IngestSettings) -> None:
        self._database = database
        self._vault = vault
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self.people: Remembered[int, Person] = Remembered(
            self._find_people, settings=settings, passes=lambda person: person.is_active
        )
        self.apps: Remembered[str, KnownApp] = Remembered(
            self._find_apps, settings=settings, passes=lambda known: known.app.is_active
        )
        # (app's integer id, its name for someone) → that someone's user id.
        self.accounts: Remembered[tuple[int, str], int] = Remembered(
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
        found = await self._database.ask(people.find_many, set(ids))
        return [found.get(user_id) for user_id in ids]

    async def _find_apps(self, app_ids: Sequence[str]) -> list[KnownApp | None]:
        distinct = list(dict.fromkeys(app_ids))
        found = await asyncio.gather(*map(self._find_app, distinct))
        by_id = dict(zip(distinct, found, strict=True))
        return [by_id[app_id] for app_id in app_ids]

    async def _find_app(self, app_id: str) -> KnownApp | None:
        app = await self._database.ask(apps.find, app_id)
        if app is None:
            return None
        return KnownApp(app, await self._database.ask(apps.secrets, app.id, vault=self._vault))

    async def _find_accounts(self, accounts: Sequence[tuple[int, str]]) -> list[int | None]:
        names: dict[int, set[str]] = defaultdict(set)
        for app_id, app_user_id in accounts:
            names[app_id].add(app_user_id)
        found: dict[int, dict[str, int]] = {
            app_id: await self._database.ask(apps.resolve_many, app_id, app_user_ids=wanted)
            for app_id, wanted in names.items()
        }
        return [found[app_id].get(app_user_id) for app_id, app_user_id in accounts]
