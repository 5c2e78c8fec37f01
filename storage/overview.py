"""What an operator watches: how much is under way, in one look; for `carillon top` and the console."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage import accepted
from storage.accepted import Backlog
from storage.model.broadcast import BroadcastStatus


@dataclass(frozen=True, slots=True)
class RunningBroadcast:
    """A broadcast that is planned, expanded or taken back; `seconds` since it was started.

    `total` and `done` are people; `total` grows while it is planned.
    """

    id: int
    app_name: str
    status: BroadcastStatus
    total: int
    done: int
    seconds: float

    @property
    def rate_per_second(self) -> float:
        """People a second, since its start."""
        return self.done / max(self.seconds, 0.001)


@dataclass(frozen=True, slots=True)
class Overview:
    """One look. `ids_made`: message ids given out so far; its slope is the rate of accepting."""

    backlog: Backlog
    running: tuple[RunningBroadcast, ...]
    ids_made: int


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
# A sequence that was never asked says 1 as well as one that was asked once.
_IDS_MADE = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM message_numbers")


def look(connection: Connection, *, limit: int) -> Overview:
    """How things stand now; the first `limit` of the running broadcasts."""
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
    return Overview(accepted.backlog(connection), running, int(made))


@dataclass(frozen=True, slots=True)
class BroadcastLine:
    """One broadcast of any app. Counts are people; `seconds` from its start to its end, or to now."""

    id: int
    app_name: str
    title: str
    status: BroadcastStatus
    total: int
    expanded: int
    recalled: int
    read: int
    created_at: datetime
    seconds: float | None


# Indexes accepted_broadcasts, broadcasts_pkey; chunks and message by the primary key of each.
_LATEST = text("""
WITH found AS (
  (SELECT id, sent_by_app_id AS app_id, title, created_at,
          CASE WHEN is_scheduled AND created_at > clock_timestamp() THEN 'SCHEDULED' ELSE 'PENDING' END AS status,
          0 AS total, 0 AS read_count,
          CAST(NULL AS timestamptz) AS started_at, CAST(NULL AS timestamptz) AS finished_at
     FROM accepted WHERE is_broadcast AND id < :before_id ORDER BY id DESC LIMIT :limit)
   UNION ALL
  (SELECT b.id, b.app_id, coalesce(m.title, ''), b.created_at, b.status, b.total, b.read_count,
          b.started_at, b.finished_at
     FROM broadcasts b LEFT JOIN messages m ON m.id = b.id
    WHERE b.id < :before_id ORDER BY b.id DESC LIMIT :limit)
   ORDER BY id DESC LIMIT :limit
)
SELECT f.id, a.name AS app_name, f.title, f.status, greatest(f.total, s.planned) AS total,
       s.expanded, s.recalled, f.read_count AS read, f.created_at,
       extract(epoch FROM coalesce(f.finished_at, clock_timestamp()) - f.started_at) AS seconds
  FROM found f JOIN apps a ON a.id = f.app_id CROSS JOIN LATERAL (
    SELECT coalesce(sum(size), 0) AS planned,
           coalesce(sum(size) FILTER (
             WHERE state IN ('expanded', 'published', 'taken_back', 'recalled')), 0) AS expanded,
           coalesce(sum(size) FILTER (WHERE state IN ('taken_back', 'recalled')), 0) AS recalled
      FROM broadcast_chunks c WHERE c.broadcast_id = f.id) s
 ORDER BY f.id DESC
""")
_LAST = 2**63 - 1


def latest_broadcasts(
    connection: Connection, *, limit: int, before_id: int | None = None
) -> list[BroadcastLine]:
    """The newest broadcasts of all apps, scheduled ones by when they are due."""
    asked = {"limit": limit, "before_id": before_id or _LAST}
    return [
        BroadcastLine(
            id=row.id,
            app_name=row.app_name,
            title=row.title,
            status=BroadcastStatus(row.status),
            total=int(row.total),
            expanded=int(row.expanded),
            recalled=int(row.recalled),
            read=row.read,
            created_at=row.created_at,
            seconds=None if row.seconds is None else float(row.seconds),
        )
        for row in connection.execute(_LATEST, asked)
    ]
