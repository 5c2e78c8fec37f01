"""The audience that an app names for a broadcast, looked up (contract §3)."""

from dataclasses import dataclass

from ingest.models.requests import Audience
from storage.model.caller import App
from storage.postgres.database import Database
from storage.postgres.people import apps, directory


@dataclass(frozen=True, slots=True)
class ResolvedAudience:
    """The people that a named audience means.

    `user_ids` ascend, each once. `unresolved`: the names of nobody active, as the app wrote them, in its order.
    """

    user_ids: tuple[int, ...]
    unresolved: tuple[str, ...]


async def resolve_audience(database: Database, audience: Audience, *, app: App) -> ResolvedAudience:
    """Look up the people of `audience` as of now; accounts are those of `app`.

    A person who is unknown, deleted or not active is unresolved. Raises TransientError.
    """
    ids = await _find_ids(database, audience, app=app)
    active = await database.query(
        directory.find_active, {id for id in ids.values() if id is not None}
    )
    return ResolvedAudience(
        tuple(sorted(active)), tuple(name for name, id in ids.items() if id not in active)
    )


async def _find_ids(database: Database, audience: Audience, *, app: App) -> dict[str, int | None]:
    """Each name once, in the order given, with the id that it stands for, or None."""
    if audience.user_ids is not None:
        return {str(id): id for id in audience.user_ids}
    names = dict.fromkeys(audience.app_user_ids or ())
    found = await database.query(apps.resolve_many, app.id, app_user_ids=names)
    return {name: found.get(name) for name in names}
