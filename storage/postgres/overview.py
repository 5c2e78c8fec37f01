"""What an operator watches: how much is under way, in one reading; for `carillon top` and the console."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import BroadcastStatus
from storage.model.pause import Pause
from storage.postgres import pauses
from storage.postgres.broadcasts.pagination import BEFORE, IS_BEFORE, LAST_ID
from storage.postgres.held_apps import build_held_condition, build_paused_condition
from storage.postgres.sends import backlog
from storage.postgres.sends.backlog import Backlog


@dataclass(frozen=True, slots=True)
class RunningBroadcast:
    """A broadcast that is being planned, expanded or taken back.

    `total` and `done` count people; `total` grows while it is planned. `seconds` have passed since its start.
    """

    id: int
    app_name: str
    status: BroadcastStatus
    total: int
    done: int
    seconds: float

    @property
    def rate_per_second(self) -> float:
        """People a second, on average since its start."""
        return self.done / max(self.seconds, 0.001)


@dataclass(frozen=True, slots=True)
class Overview:
    """The state at one moment. `ids_made` counts the message ids given out so far: its growth is the rate of accepting."""

    backlog: Backlog
    running: tuple[RunningBroadcast, ...]
    ids_made: int
    pauses: tuple[Pause, ...] = ()


# Indexes broadcasts_unfinished, and the primary key of the chunks of the few that it finds.
_RUNNING = text("""
SELECT b.id, a.name AS app_name, b.status, coalesce(s.total, 0) AS total,
       coalesce(CASE WHEN b.status = 'RECALLING' THEN s.recalled ELSE s.expanded END, 0) AS done,
       coalesce(extract(epoch FROM clock_timestamp() - b.started_at), 0) AS seconds
  FROM broadcasts b JOIN apps a ON a.id = b.app_id CROSS JOIN LATERAL (
    SELECT sum(size) AS total,
           sum(size) FILTER (WHERE state IN ('expanded', 'published')) AS expanded,
           sum(size) FILTER (WHERE state IN ('taken_back', 'recalled')) AS recalled
      FROM broadcast_chunks c WHERE c.broadcast_id = b.id) s
 WHERE b.status IN ('PENDING', 'EXPANDING', 'RECALLING') ORDER BY b.id LIMIT :limit
""")
# `last_value` of a sequence is 1 before its first use as well as after it.
_IDS_MADE = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM message_numbers")


def read_overview(connection: Connection, *, limit: int) -> Overview:
    """Read the state of now, with the `limit` oldest of the running broadcasts."""
    running = tuple(
        RunningBroadcast(
            id=row.id,
            app_name=row.app_name,
            status=BroadcastStatus(row.status),
            total=int(row.total),
            done=int(row.done),
            seconds=float(row.seconds),
        )
        for row in connection.execute(_RUNNING, {"limit": limit})
    )
    made = connection.execute(_IDS_MADE).scalar_one()
    paused = tuple(pauses.list_pauses(connection))
    return Overview(backlog.measure_backlog(connection), running, int(made), paused)


@dataclass(frozen=True, slots=True)
class BroadcastLine:
    """One broadcast of any app. Counts are people; `seconds` from its start to its end, or to now.

    `is_held`: its app is disabled or paused, or the queue of broadcasts is paused; `failing`: chunks of it that fail and are tried again.
    """

    id: int
    app_name: str
    title: str
    status: BroadcastStatus
    is_held: bool
    total: int
    expanded: int
    failing: int
    recalled: int
    read: int
    created_at: datetime
    seconds: float | None


# Dead letters have a list of their own. Indexes broadcasts_accepted_at, broadcasts_app_id_accepted_at; of
# those that are accepted or held few are broadcasts (accepted_broadcasts, held_sends_broadcasts); chunks and message by the primary key.
_LATEST = """
WITH {before}, found AS (
  (SELECT id, sent_by_app_id AS app_id, coalesce(accepted_at, created_at) AS accepted_at, title,
          created_at,
          CASE WHEN is_scheduled AND created_at > clock_timestamp() THEN 'SCHEDULED'
               ELSE 'PENDING' END AS status,
          0 AS total, 0 AS read_count,
          CAST(NULL AS timestamptz) AS started_at, CAST(NULL AS timestamptz) AS finished_at
     FROM accepted WHERE is_broadcast AND {accepted})
   UNION ALL
  (SELECT id, app_id, CAST(coalesce(payload ->> 'accepted_at', payload ->> 'created_at') AS timestamptz),
          payload ->> 'title', CAST(payload ->> 'created_at' AS timestamptz), 'PENDING', 0, 0, NULL, NULL
     FROM held_sends WHERE is_broadcast AND {held})
   UNION ALL
  (SELECT id, app_id, accepted_at, NULL, created_at, status, total, read_count, started_at, finished_at
     FROM broadcasts WHERE {persisted} AND {is_before}
    ORDER BY accepted_at DESC, id DESC LIMIT :limit)
), page AS (
  SELECT * FROM found WHERE {is_before} ORDER BY accepted_at DESC, id DESC LIMIT :limit
)
SELECT f.id, coalesce(a.name, '') AS app_name, coalesce(f.title, m.title, '') AS title, f.status,
       f.status IN ('SCHEDULED', 'PENDING', 'EXPANDING') AND ({is_held}
         OR {sends_paused} AND EXISTS (SELECT FROM accepted a WHERE a.id = f.id)) AS is_held,
       greatest(f.total, s.planned) AS total, s.expanded, s.failing, s.recalled,
       f.read_count AS read, f.created_at,
       extract(epoch FROM coalesce(f.finished_at, clock_timestamp()) - f.started_at) AS seconds
  FROM page f LEFT JOIN apps a ON a.id = f.app_id LEFT JOIN messages m ON m.id = f.id
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(size), 0) AS planned, count(error) AS failing,
           coalesce(sum(size) FILTER (
             WHERE state IN ('expanded', 'published', 'taken_back', 'recalled')), 0) AS expanded,
           coalesce(sum(size) FILTER (WHERE state IN ('taken_back', 'recalled')), 0) AS recalled
      FROM broadcast_chunks c WHERE c.broadcast_id = f.id) s
 ORDER BY f.accepted_at DESC, f.id DESC
"""
_PARTS = {
    "before": BEFORE,
    "is_before": IS_BEFORE,
    "is_held": build_held_condition("f.app_id"),
    "sends_paused": build_paused_condition("sends"),
}
_LATEST_OF_ALL = text(_LATEST.format(accepted="true", held="true", persisted="true", **_PARTS))
_LATEST_OF_ONE = text(
    _LATEST.format(
        accepted="sent_by_app_id = :app_id",
        held="app_id = :app_id",
        persisted="app_id = :app_id",
        **_PARTS,
    )
)


def list_latest_broadcasts(
    connection: Connection, *, limit: int, before_id: int | None = None, app_id: int | None = None
) -> list[BroadcastLine]:
    """The latest broadcasts by acceptance, newest first, of all apps or of one; also those that are not due yet.

    `before_id`: only those that were accepted before this broadcast.
    """
    asked = {"limit": limit, "before_id": LAST_ID if before_id is None else before_id}
    if app_id is None:
        rows = connection.execute(_LATEST_OF_ALL, asked)
    else:
        rows = connection.execute(_LATEST_OF_ONE, asked | {"app_id": app_id})
    return [_make_line(row) for row in rows]


def _make_line(row: Row[Any]) -> BroadcastLine:
    return BroadcastLine(
        id=row.id,
        app_name=row.app_name,
        title=row.title,
        status=BroadcastStatus(row.status),
        is_held=row.is_held,
        total=int(row.total),
        expanded=int(row.expanded),
        failing=row.failing,
        recalled=int(row.recalled),
        read=row.read,
        created_at=row.created_at,
        seconds=None if row.seconds is None else float(row.seconds),
    )
