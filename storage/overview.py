"""What an operator watches: how much is under way, in one look; for `carillon top`."""

from dataclasses import dataclass

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
