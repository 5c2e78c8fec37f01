"""Reports: how far broadcasts are on their way (contract §3); for ingest and `carillon broadcasts`."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.postgres.broadcasts.pagination import BEFORE, IS_BEFORE, LAST_ID
from storage.postgres.held_apps import build_held_condition, build_paused_condition

# A broadcast is not persisted yet, held, a dead letter, or in `broadcasts`: all are read in one snapshot. Lists are sorted by
# when they were accepted, so that a scheduled one does not hide the one that was just sent.
_NOTHING_YET = """0 AS total, 0 AS read_count, created_at, CAST(NULL AS timestamptz) AS started_at,
 CAST(NULL AS timestamptz) AS finished_at"""
_STEPS = f"""
  (SELECT id, sent_by_app_id AS app_id, coalesce(accepted_at, created_at) AS accepted_at,
          CASE WHEN is_scheduled AND created_at > clock_timestamp() THEN 'SCHEDULED' ELSE 'PENDING' END AS status, error,
          {_NOTHING_YET}, {{unresolved}} AS unresolved
     FROM accepted WHERE is_broadcast AND {{accepted}})
   UNION ALL
  (SELECT a.id, a.sent_by_app_id, coalesce(a.accepted_at, a.created_at), 'PENDING', a.error,
          0, 0, a.created_at, NULL, NULL, {{held_unresolved}}
     FROM held_sends h CROSS JOIN LATERAL
          jsonb_populate_record(NULL::accepted, h.payload - 'audience') AS a
    WHERE h.is_broadcast AND {{held}})
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
         AND ({build_held_condition("f.app_id")}
              OR {build_paused_condition("sends")} AND EXISTS (SELECT FROM accepted a WHERE a.id = f.id))
         AS is_held,
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
    held="h.id = :id",
    persisted="id = :id",
    unresolved="unresolved",
    failed_unresolved="(f.a).unresolved",
    held_unresolved="a.unresolved",
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
    held="h.app_id = :app_id",
    # Along broadcasts_app_id_accepted_at, and no further than the page.
    persisted=f"app_id = :app_id AND {_WINDOW} {_PAGE}",
    unresolved="CAST('[]' AS jsonb)",
    failed_unresolved="CAST('[]' AS jsonb)",
    held_unresolved="CAST('[]' AS jsonb)",
)
_REPORTS = text(f"""
WITH {BEFORE}, found AS (
  SELECT * FROM ({_MANY}) several WHERE {_WINDOW} {_PAGE}
) {_COUNTED}
""")  # noqa: S608 (as above)
_TAKEN_BACK = frozenset({BroadcastStatus.RECALLING, BroadcastStatus.RECALLED})


def find_report(
    connection: Connection, broadcast_id: int, *, app_id: int | None
) -> BroadcastReport | None:
    """How far a broadcast is (contract §3); None if there is none with this id of the app `app_id` (None: of any app)."""
    parameters = {"id": broadcast_id, "app_id": app_id}
    row = connection.execute(_REPORT, parameters).first()
    return _read_report(row) if row else None


def list_reports(
    connection: Connection,
    app_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    status: BroadcastStatus | None = None,
) -> list[BroadcastReport]:
    """Up to `limit` broadcasts of an app, the last accepted first, before `before_id` and of `status` if they are given.

    `read` is as it was last counted; `unresolved` is left empty.
    """
    before = LAST_ID if before_id is None else before_id
    asked = {"app_id": app_id, "before_id": before, "status": status, "limit": limit}
    rows = connection.execute(_REPORTS, asked)
    return [_read_report(row) for row in rows]


def _read_report(row: Row[Any]) -> BroadcastReport:
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
        rate_per_second=None
        if status in _TAKEN_BACK
        else _rate_per_second(row.expanded, row.seconds),
        unresolved=tuple(row.unresolved),
    )


def _rate_per_second(expanded: int, seconds: float | None) -> float | None:
    return None if seconds is None else round(expanded / max(float(seconds), 0.001), 1)


_ENDED = text("""
SELECT id, status = 'DONE' AS is_done FROM broadcasts
 WHERE id = ANY(CAST(:ids AS bigint[])) AND status NOT IN ('SCHEDULED', 'PENDING', 'EXPANDING')
 UNION ALL
SELECT id, false FROM failed_sends WHERE id = ANY(CAST(:ids AS bigint[]))
""")


def find_ended(connection: Connection, ids: Collection[int]) -> dict[int, bool]:
    """Those of `ids` that no lane will expand any more; the value says whether everyone has it (`Prefer: wait`)."""
    rows = connection.execute(_ENDED, {"ids": list(ids)})
    return {row.id: row.is_done for row in rows}
