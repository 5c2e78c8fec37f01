"""What requests name: people, apps and accounts, kept for a moment, and uploaded objects.

Used by authentication, by the rules of a send and by routes. An app's string id can be made up by anyone. So an id
of no app is kept as such for a moment, and ids that were never found are looked up apart from the others, few at a
time: strangers hold up nobody else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ingest.identity.lookup_cache import BATCH_SIZE, LookupCache
from ingest.micro_batcher import MicroBatcher
from ingest.settings import IngestSettings
from storage.model.caller import App, Person
from storage.model.errors import CarillonError
from storage.model.media import MediaObject
from storage.postgres import media_objects
from storage.postgres.database import Database
from storage.postgres.people import apps, directory

# So many made-up app ids may wait to be looked up, and each is looked up once in this time.
_STRANGER_CAP = 1000
_ABSENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KnownApp:
    """An app and its live secrets. Its `repr` shows no secret."""

    app: App
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"KnownApp({self.app.app_id!r})"


class Lookups:
    """Everything that requests name.

    `people` by id; `apps` by string id; `objects` (uploaded media) by key; `accounts`: a pair of an app's integer
    id and its own name for someone leads to that person's id.
    """

    def __init__(
        self,
        database: Database,
        *,
        strangers: Database,
        vault: apps.Vault,
        settings: IngestSettings,
    ) -> None:
        """`strangers`: the share of connections that app ids which may not exist are looked up with."""
        self._database = database
        self._vault = vault
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self.people: LookupCache[int, Person] = LookupCache(
            self._find_people, settings=settings, lets_pass=lambda person: person.is_active
        )
        self.apps: LookupCache[str, KnownApp] = LookupCache(
            partial(self._find_apps, database),
            settings=settings,
            lets_pass=lambda known: known.app.is_active,
            absent_seconds=_ABSENT_SECONDS,
            stranger_cap=_STRANGER_CAP,
            look_up_strangers=partial(self._find_apps, strangers),
        )
        # Not kept: an object is sent once.
        self.objects: MicroBatcher[str, MediaObject | None] = MicroBatcher(
            self._find_objects, size=BATCH_SIZE, patience=settings.lookup_patience
        )
        self.accounts: LookupCache[tuple[int, str], int] = LookupCache(
            self._find_accounts, settings=settings, lets_pass=lambda _user_id: True
        )

    async def keep_fresh(self) -> None:
        """Refresh what is in use, twice in its lifetime, until cancelled."""
        while self._lifetime_seconds:
            await asyncio.sleep(self._lifetime_seconds / 2)
            caches = (self.people, self.apps, self.accounts)
            # What fails is not kept longer: the requests that need it will get its error.
            await asyncio.gather(*(cache.refresh() for cache in caches), return_exceptions=True)

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
        for app_id, name in accounts:
            names[app_id].add(name)
        found: dict[int, dict[str, int]] = {
            app_id: await self._database.query(apps.resolve_many, app_id, app_user_ids=wanted)
            for app_id, wanted in names.items()
        }
        return [found[app_id].get(name) for app_id, name in accounts]
