"""A broadcast's people: who is meant, how many have read it, who has not (contract §3)."""

from dataclasses import dataclass

from ingest.models.requests import Audience
from storage.model.broadcast import BroadcastReport, UnreadPerson
from storage.model.caller import App
from storage.postgres.broadcasts import readers, reports
from storage.postgres.database import Database
from storage.postgres.people import apps, directory


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom a named audience means: ids ascending; `unresolved` as they were named, in that order."""

    user_ids: tuple[int, ...]
    unresolved: tuple[str, ...]


async def resolve(database: Database, audience: Audience, *, app: App) -> Resolved:
    """Whom the audience means now: whoever is unknown, deleted or not active is unresolved."""
    ids = await _ids(database, audience, app=app)
    active = await database.query(
        directory.active_among, {id for id in ids.values() if id is not None}
    )
    return Resolved(
        tuple(sorted(active)), tuple(name for name, id in ids.items() if id not in active)
    )


async def _ids(database: Database, audience: Audience, *, app: App) -> dict[str, int | None]:
    """Each name once, in the order given, and its id, if it has one."""
    if audience.user_ids is not None:
        return {str(id): id for id in audience.user_ids}
    names = dict.fromkeys(audience.app_user_ids or ())
    found = await database.query(apps.resolve_many, app.id, app_user_ids=names)
    return {name: found.get(name) for name in names}


async def report(database: Database, broadcast_id: int, *, app_id: int) -> BroadcastReport | None:
    """How far a broadcast is, with `read` a minute old at most; None if the app has no such one."""
    if await database.transaction(readers.start_count, broadcast_id, app_id=app_id):
        count = await _reads(database, broadcast_id)
        await database.transaction(readers.end_count, broadcast_id, count=count)
    return await database.query(reports.find_report, broadcast_id, app_id=app_id)


async def _reads(database: Database, broadcast_id: int) -> int:
    """Part by part: one question about a million people would hold up others for seconds."""
    after: int | None = 0
    count = 0
    while after is not None:
        part = await database.transaction(readers.count_reads, broadcast_id, after_user_id=after)
        count += part.count
        after = part.last_user_id
    return count


async def unread(
    database: Database, broadcast_id: int, *, after_user_id: int, limit: int
) -> list[UnreadPerson]:
    """The first `limit` people after `after_user_id`, by id, who have it and have not read it."""
    found: list[UnreadPerson] = []
    after: int | None = after_user_id
    while after is not None and len(found) < limit:
        page = await database.transaction(
            readers.list_unread,
            broadcast_id,
            after_user_id=after,
            limit=limit - len(found),
        )
        found += page.people
        after = page.last_user_id
    return found
