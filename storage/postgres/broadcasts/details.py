"""A broadcast in detail, for operators: what reports do not tell an app. For the console."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.model.broadcast import BroadcastReport, ChunkState
from storage.model.origin import Origin
from storage.postgres.broadcasts.reports import find_report


@dataclass(frozen=True, slots=True)
class ChunkCount:
    """How many chunks of a broadcast are in a state, and how many people they are."""

    state: ChunkState
    chunks: int
    people: int


@dataclass(frozen=True, slots=True)
class BroadcastDetail:
    """A broadcast of any app: its report, what it is called, and its chunks by state.

    `accepted_at` is before its creation if it is scheduled; None unless it was persisted.
    """

    report: BroadcastReport
    app_id: int | None
    app_name: str
    title: str
    request_id: str
    accepted_at: datetime | None
    chunks: tuple[ChunkCount, ...]


# By the primary keys; the tables in the order in which a broadcast moves through them.
_NAMES = text("""
SELECT sent_by_app_id, app_name, title, origin, accepted_at FROM accepted WHERE id = :id
 UNION ALL
SELECT b.app_id, a.name, m.title, b.origin, b.accepted_at
  FROM broadcasts b JOIN messages m USING (id) LEFT JOIN apps a ON a.id = b.app_id WHERE b.id = :id
 UNION ALL
SELECT (f.a).sent_by_app_id, (f.a).app_name, (f.a).title, (f.a).origin, (f.a).accepted_at
  FROM (SELECT jsonb_populate_record(NULL::accepted, payload) AS a FROM failed_sends WHERE id = :id) f
""")
_CHUNKS = text("""
SELECT state, count(*) AS chunks, sum(size) AS people FROM broadcast_chunks
 WHERE broadcast_id = :id GROUP BY state ORDER BY state
""")


def find_detail(connection: Connection, broadcast_id: int) -> BroadcastDetail | None:
    """The broadcast with this id, at whatever stage; None if there is none."""
    report = find_report(connection, broadcast_id, app_id=None)
    asked = {"id": broadcast_id}
    names = connection.execute(_NAMES, asked).first()
    if report is None or names is None:
        return None
    return BroadcastDetail(
        report,
        app_id=names.sent_by_app_id,
        app_name=names.app_name or "",
        title=names.title,
        request_id=Origin.parse(names.origin).request_id,
        accepted_at=names.accepted_at,
        chunks=tuple(
            ChunkCount(ChunkState(row.state), row.chunks, int(row.people))
            for row in connection.execute(_CHUNKS, asked)
        ),
    )


@dataclass(frozen=True, slots=True)
class FailingPart:
    """A part of a broadcast that fails and is tried again at `try_at`: a chunk, or its plan (`number` is None)."""

    number: int | None
    people: int | None
    state: str
    attempts: int
    error: str
    try_at: datetime | None


# Indexes broadcast_chunks_failing and the primary key.
_FAILING = text("""
SELECT NULL AS number, NULL AS size, status AS state, attempts, error, rest_until AS try_at
  FROM broadcasts WHERE id = :id AND status = 'PENDING' AND error IS NOT NULL
 UNION ALL
(SELECT number, size, state, attempts, error, lease_until FROM broadcast_chunks
  WHERE broadcast_id = :id AND error IS NOT NULL ORDER BY number LIMIT :limit)
""")


def list_failing_parts(
    connection: Connection, broadcast_id: int, *, limit: int
) -> list[FailingPart]:
    """What of a broadcast fails now: its plan, and up to `limit` of its chunks, the first ones."""
    rows = connection.execute(_FAILING, {"id": broadcast_id, "limit": limit})
    return [
        FailingPart(row.number, row.size, row.state, row.attempts, row.error, row.try_at)
        for row in rows
    ]
