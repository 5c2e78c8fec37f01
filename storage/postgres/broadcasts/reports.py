"""How far broadcasts are, who has read them and who has not (contract §3); for ingest and the command."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import BroadcastReport, BroadcastStatus, UnreadPerson
from storage.postgres.broadcasts.pages import BEFORE, IS_BEFORE, LAST_ID
from storage.postgres.held_apps import is_held

# Chunks of people looked at in one question: short enough for a share that others wait for.
_CHUNKS_AT_ONCE = 20

# Where it stands on its way, in one snapshot: not persisted yet, a dead letter, or a broadcast. Each has
# an instant of acceptance, by which a list is sorted: a scheduled one does not hide the one just sent.
_NOTHING_YET = """0 AS total, 0 AS read_count, created_at, CAST(NULL AS timestamptz) AS started_at,
 CAST(NULL AS timestamptz) AS finished_at"""
_STEPS = f"""
  (SELECT id, sent_by_app_id AS app_id, coalesce(accepted_at, created_at) AS accepted_at,
          CASE WHEN is_scheduled AND created_at > clock_timestamp() THEN 'SCHEDULED' ELSE 'PENDING' END AS status, error,
          {_NOTHING_YET}, {{unresolved}} AS unresolved
     FROM accepted WHERE is_broadcast AND {{accepted}})
   UNION ALL
  (SELECT (f.a).id, (f.a).sent_by_app_id, coalesce((f.a).accepted_at, (f.a).created_at), 'FAILED',
          f.error, 0, 0, (f.a).created_at, NULL, f.failed_at, {{failed_unresolved}}
     FROM (SELECT failed_at, error, jsonb_populate_record(NULL::accepted, payload) AS a
             FROM failed_sends
            WHERE CAST(payload ->> 'is_broadcast' AS boolean) AND {{failed}}) f)
   UNION ALL
  (SELECT id, app_id, accepted_at, status, error, total, read_count, created_at, started_at,
          finished_at, {{unresolved}}
     FROM broadcasts WHERE {{persisted}})
"""  # noqa: S608 (constants of this module)
# Chunks by their primary key.
_COUNTED = f"""
SELECT f.*, s.expanded, s.recalled, s.failed_chunks,
       CASE WHEN s.failed_chunks > 0 THEN s.last_error ELSE f.error END AS last_error,
       f.status IN ('SCHEDULED', 'PENDING', 'EXPANDING')
         AND {is_held("f.app_id")} AS is_held,
       extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at) AS seconds
  FROM found f CROSS JOIN LATERAL (
    SELECT coalesce(sum(size) FILTER (
             WHERE state IN ('expanded', 'published', 'taken_back', 'recalled')), 0) AS expanded,
           coalesce(sum(size) FILTER (WHERE state IN ('taken_back', 'recalled')), 0) AS recalled,
           count(error) AS failed_chunks,
           (array_agg(error ORDER BY lease_until DESC NULLS LAST)
              FILTER (WHERE error IS NOT NULL))[1] AS last_error
      FROM broadcast_chunks c WHERE c.broadcast_id = f.id) s
 ORDER BY f.accepted_at DESC, f.id DESC
"""  # noqa: S608 (as above)
_ONE = _STEPS.format(
    accepted="id = :id",
    failed="id = :id",
    persisted="id = :id",
    unresolved="unresolved",
    failed_unresolved="(f.a).unresolved",
)
_REPORT = text(f"""
WITH found AS (
  SELECT * FROM ({_ONE}) one WHERE CAST(:app_id AS int) IS NULL OR app_id = :app_id
) {_COUNTED}
""")  # noqa: S608 (as above)
_WINDOW = f"""(CAST(:status AS text) IS NULL OR status = :status)
      AND {IS_BEFORE}"""
_PAGE = " ORDER BY accepted_at DESC, id DESC LIMIT :limit"
_MANY = _STEPS.format(
    accepted="sent_by_app_id = :app_id",
    failed="CAST(payload ->> 'sent_by_app_id' AS int) = :app_id",
    # Along broadcasts_app_id_accepted_at, and no further than the page.
    persisted=f"app_id = :app_id AND {_WINDOW} {_PAGE}",
    unresolved="CAST('[]' AS jsonb)",
    failed_unresolved="CAST('[]' AS jsonb)",
)
_REPORTS = text(f"""
WITH {BEFORE}, found AS (
  SELECT * FROM ({_MANY}) several WHERE {_WINDOW} {_PAGE}
) {_COUNTED}
""")  # noqa: S608 (as above)
_TAKEN_BACK = frozenset({BroadcastStatus.RECALLING, BroadcastStatus.RECALLED})


def report(
    connection: Connection, broadcast_id: int, *, app_id: int | None
) -> BroadcastReport | None:
    """How far a broadcast is (contract §3); None if `app_id` (None: no app at all) has no such one."""
    parameters = {"id": broadcast_id, "app_id": app_id}
    row = connection.execute(_REPORT, parameters).first()
    return _report(row) if row else None


def listing(
    connection: Connection,
    app_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    status: BroadcastStatus | None = None,
) -> list[BroadcastReport]:
    """An app's broadcasts, the last accepted first; `read` as last counted, `unresolved` left out."""
    before = LAST_ID if before_id is None else before_id
    asked = {"app_id": app_id, "before_id": before, "status": status, "limit": limit}
    rows = connection.execute(_REPORTS, asked)
    return [_report(row) for row in rows]


def _report(row: Row[Any]) -> BroadcastReport:
    status = BroadcastStatus(row.status)
    return BroadcastReport(
        id=row.id,
        status=status,
        total=row.total,
        expanded=row.expanded,
        failed_chunks=row.failed_chunks,
        last_error=row.last_error,
        is_held=row.is_held,
        recalled=row.recalled,
        read=row.read_count,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        rate_per_second=None if status in _TAKEN_BACK else _rate(row.expanded, row.seconds),
        unresolved=tuple(row.unresolved),
    )


def _rate(expanded: int, seconds: float | None) -> float | None:
    return None if seconds is None else round(expanded / max(float(seconds), 0.001), 1)


_ENDED = text("""
SELECT id, status = 'DONE' AS is_done FROM broadcasts
 WHERE id = ANY(CAST(:ids AS bigint[])) AND status NOT IN ('SCHEDULED', 'PENDING', 'EXPANDING')
 UNION ALL
SELECT id, false FROM failed_sends WHERE id = ANY(CAST(:ids AS bigint[]))
""")


def ended(connection: Connection, ids: Collection[int]) -> dict[int, bool]:
    """Those of `ids` that no lane will expand any more, and whether everyone has it (`Prefer: wait`)."""
    rows = connection.execute(_ENDED, {"ids": list(ids)})
    return {row.id: row.is_done for row in rows}


# Whoever gets here first within the minute that contract §3 allows counts; others show the last count.
_START_COUNT = text("""
UPDATE broadcasts SET read_counted_at = clock_timestamp()
 WHERE id = :id AND app_id = :app_id AND total > 0
   AND (read_counted_at IS NULL OR read_counted_at < clock_timestamp() - interval '1 minute')
""")
_END_COUNT = text("UPDATE broadcasts SET read_count = :count WHERE id = :id")
# The next chunks that have people past `after`: the primary key, in order.
_PART = """
part AS MATERIALIZED (
  SELECT c.user_ids, c.last_user_id, c.app_id FROM broadcast_chunks c
   WHERE c.broadcast_id = :id AND c.last_user_id > :after AND c.state IN ('expanded', 'published')
   ORDER BY c.number LIMIT :chunks
), people AS (
  SELECT u.id, part.app_id, part.last_user_id FROM part CROSS JOIN LATERAL unnest(part.user_ids) AS u(id)
)
"""
# By the primary key of `deliveries`, one probe a person.
_COUNT_READS = text(f"""
WITH {_PART}
SELECT max(part_end.last) AS last, (
    SELECT count(*) FROM people p
      JOIN deliveries d ON d.user_id = p.id AND d.peer_id = -p.app_id AND d.message_id = :id
     WHERE d.read_at IS NOT NULL) AS reads
  FROM (SELECT max(last_user_id) AS last FROM part) part_end
""")  # noqa: S608 (the part is the constant above)


def start_count(connection: Connection, broadcast_id: int, *, app_id: int) -> bool:
    """Whether `read` is older than a minute and the caller is the one to count it anew."""
    parameters = {"id": broadcast_id, "app_id": app_id}
    return connection.execute(_START_COUNT, parameters).rowcount == 1


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of a part of the audience have read it; `last_user_id` ends the part, None: no more."""

    count: int
    last_user_id: int | None


def count_reads(connection: Connection, broadcast_id: int, *, after_user_id: int = 0) -> Counted:
    """Count the reads of the next part of the audience: a million people are no single question."""
    parameters = {"id": broadcast_id, "after": after_user_id, "chunks": _CHUNKS_AT_ONCE}
    row = connection.execute(_COUNT_READS, parameters).one()
    return Counted(row.reads, row.last)


def end_count(connection: Connection, broadcast_id: int, *, count: int) -> None:
    """Note what was counted."""
    connection.execute(_END_COUNT, {"id": broadcast_id, "count": count})


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """People who have not read it, by id; `last_user_id`: go on after it, None: these were the last."""

    people: tuple[UnreadPerson, ...]
    last_user_id: int | None


_PART_END = text(f"WITH {_PART} SELECT max(last_user_id) FROM part")  # noqa: S608 (as above)
_UNREAD = text(f"""
WITH {_PART}, unread AS (
  SELECT p.id, p.app_id FROM people p
    JOIN deliveries d ON d.user_id = p.id AND d.peer_id = -p.app_id AND d.message_id = :id
   WHERE p.id > :after AND d.read_at IS NULL ORDER BY p.id LIMIT :limit
)
SELECT unread.id, account.app_user_id, coalesce(users.name, '') AS name
  FROM unread LEFT JOIN users USING (id)
  LEFT JOIN LATERAL (
    SELECT m.app_user_id FROM mappings m WHERE m.user_id = unread.id AND m.app_id = unread.app_id
     ORDER BY m.app_user_id LIMIT 1) account ON true
 ORDER BY unread.id
""")  # noqa: S608 (as above)


def unread(
    connection: Connection, broadcast_id: int, *, after_user_id: int, limit: int
) -> UnreadPage:
    """Up to `limit` people after `after_user_id` who have it and have not read it.

    Looks at a part of the audience only: the page may be short and not the last, `last_user_id` tells.
    """
    parameters = {"id": broadcast_id, "after": after_user_id, "chunks": _CHUNKS_AT_ONCE}
    end = connection.execute(_PART_END, parameters).scalar()
    if end is None:
        return UnreadPage((), None)
    rows = connection.execute(_UNREAD, parameters | {"limit": limit}).all()
    people = tuple(UnreadPerson(row.id, row.app_user_id, row.name) for row in rows)
    return UnreadPage(people, people[-1].user_id if len(people) == limit else end)
