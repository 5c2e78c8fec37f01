"""One broadcast: how far it is, what of it fails, and who has not read it, as a page and as CSV."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ingest.console.csv_rows import MARK, CsvFile, write_rows
from ingest.console.operations import SHOWN, show_instant
from ingest.console.visit import Visit
from ingest.sends import broadcast_progress
from storage.model.broadcast import UnreadPerson
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, TransientError
from storage.postgres.broadcasts import details, readers
from storage.postgres.broadcasts.details import BroadcastDetail, FailingPart
from storage.postgres.broadcasts.readers import UnreadPage
from storage.postgres.database import Database

_PARTS_SHOWN = 100
_UNRESOLVED_SHOWN = 100
_ROWS_AT_ONCE = 5_000
# A page of a download that finds the database busy is asked for again after a pause, so often.
_TRIES, _PAUSE_SECONDS = 5, 1.0


async def show_broadcast(visit: Visit) -> dict[str, Any]:
    """A broadcast of any app, with its chunks by state and what of it fails. Raises NotFound."""
    database = visit.services.database
    found = await database.query(details.find_detail, visit.id)
    if found is None:
        raise NotFound("There is no such broadcast.", code=ErrorCode.UNKNOWN_BROADCAST)
    parts: list[FailingPart] = []
    if found.report.failed_chunks or found.report.last_error:
        parts = await database.query(details.list_failing_parts, visit.id, limit=_PARTS_SHOWN)
    return _show_detail(found) | {"parts": [_show_part(one) for one in parts]}


def _show_detail(found: BroadcastDetail) -> dict[str, Any]:
    report = found.report
    return {
        "id": str(report.id),
        "app_name": found.app_name,
        "title": found.title,
        "status": report.status,
        "is_held": report.is_held,
        "request_id": found.request_id,
        "total": report.total,
        "expanded": report.expanded,
        "failing": report.failed_chunks,
        "recalled": report.recalled,
        "read": report.read,
        "created_at": show_instant(report.created_at),
        "accepted_at": show_instant(found.accepted_at),
        "started_at": show_instant(report.started_at),
        "finished_at": show_instant(report.finished_at),
        "unresolved": report.unresolved[:_UNRESOLVED_SHOWN],
        "unresolved_count": len(report.unresolved),
        "chunks": [
            {"state": one.state, "chunks": one.chunks, "people": one.people} for one in found.chunks
        ],
    }


def _show_part(part: FailingPart) -> dict[str, Any]:
    return {
        "number": part.number,
        "people": part.people,
        "state": part.state,
        "attempts": part.attempts,
        "error": part.error,
        "try_at": show_instant(part.try_at),
    }


async def count_readers(visit: Visit) -> dict[str, Any]:
    """Count how many have read a broadcast, if the last count is a minute old: of a million people it takes seconds.

    Raises NotFound.
    """
    app_id = await _find_app_id(visit)
    if app_id is not None:
        lists = visit.services.backends.shares.lists
        await broadcast_progress.count_reads(lists, visit.id, app_id=app_id)
    return {}


async def list_unread(visit: Visit) -> dict[str, Any]:
    """Some people who have a broadcast and have not read it, those after the id `after`. Raises NotFound."""
    await _find_app_id(visit)
    people = await broadcast_progress.list_unread(
        visit.services.backends.shares.lists,
        visit.id,
        after_user_id=visit.read_id("after") or 0,
        limit=SHOWN,
    )
    return {
        "people": [
            {"user_id": str(one.user_id), "app_user_id": one.app_user_id, "name": one.name}
            for one in people
        ],
        "next_after": str(people[-1].user_id) if len(people) == SHOWN else None,
    }


async def _find_app_id(visit: Visit) -> int | None:
    found = await visit.services.database.query(details.find_detail, visit.id)
    if found is None:
        raise NotFound("There is no such broadcast.", code=ErrorCode.UNKNOWN_BROADCAST)
    return found.app_id


async def download_unread(visit: Visit) -> CsvFile:
    """Everybody who has a broadcast and has not read it, written as it is read. Raises NotFound."""
    await _find_app_id(visit)
    lists = visit.services.backends.shares.lists
    return CsvFile(f"broadcast-{visit.id}-unread.csv", _write_unread(lists, visit.id))


async def _write_unread(database: Database, id: int) -> AsyncIterator[str]:
    yield MARK + write_rows([("user_id", "app_user_id", "name")])
    after: int | None = 0
    while after is not None:
        page = await _read_page(database, id, after_user_id=after)
        yield write_rows(_list_cells(one) for one in page.people)
        after = page.last_user_id


def _list_cells(one: UnreadPerson) -> tuple[str, str, str]:
    return (str(one.user_id), one.app_user_id or "", one.name)


async def _read_page(database: Database, id: int, *, after_user_id: int) -> UnreadPage:
    """A page, with a connection for no longer than it takes: a client that receives slowly holds none."""
    tries = _TRIES
    while True:
        try:
            return await database.transaction(
                readers.list_unread, id, after_user_id=after_user_id, limit=_ROWS_AT_ONCE, chunks=1
            )
        except TransientError:
            tries -= 1
            if not tries:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
