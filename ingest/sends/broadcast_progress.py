"""How far a broadcast has come, how many have read it, and who has not (contract §3)."""

from storage.model.broadcast import BroadcastReport, UnreadPerson
from storage.postgres.broadcasts import readers, reports
from storage.postgres.database import Database


async def find_report(
    database: Database, broadcast_id: int, *, app_id: int
) -> BroadcastReport | None:
    """The report of a broadcast of this app; None if the app has no such broadcast.

    `read` is counted anew if the last count is a minute old. Raises TransientError.
    """
    await count_reads(database, broadcast_id, app_id=app_id)
    return await database.query(reports.find_report, broadcast_id, app_id=app_id)


async def count_reads(database: Database, broadcast_id: int, *, app_id: int) -> None:
    """Count how many have read a broadcast of this app, if the last count is a minute old. Raises TransientError."""
    if await database.transaction(readers.start_count, broadcast_id, app_id=app_id):
        count = await _count_reads(database, broadcast_id)
        await database.transaction(readers.store_count, broadcast_id, count=count)


async def _count_reads(database: Database, broadcast_id: int) -> int:
    """Part by part: one question about a million people would hold up others for seconds."""
    after: int | None = 0
    count = 0
    while after is not None:
        part = await database.transaction(readers.count_reads, broadcast_id, after_user_id=after)
        count += part.count
        after = part.last_user_id
    return count


async def list_unread(
    database: Database, broadcast_id: int, *, after_user_id: int, limit: int
) -> list[UnreadPerson]:
    """The first `limit` people after `after_user_id`, by id, who have the broadcast and have not read it.

    Raises TransientError.
    """
    found: list[UnreadPerson] = []
    after: int | None = after_user_id
    # Mostly the first chunk has enough of them; if nearly all have read it, many have to be looked at.
    chunks = 1
    while after is not None and len(found) < limit:
        page = await database.transaction(
            readers.list_unread,
            broadcast_id,
            after_user_id=after,
            limit=limit - len(found),
            chunks=chunks,
        )
        found += page.people
        after = page.last_user_id
        chunks = min(2 * chunks, readers.CHUNKS_AT_ONCE)
    return found
