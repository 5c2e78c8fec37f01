"""Apps' endpoints as operators see them: how each is, what waits for it, and what came of its last calls."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.model.app_event import CallbackStatus

# More are not counted.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """An app that asked for events, and how far it is told.

    `id` is the app's integer id, `app_id` its string id. `url` None: it only pulls. `failures`: since its last call that was
    taken. `waiting`: events that it has not taken (without a URL: not pulled), up to MOST_COUNTED; `oldest_at`: when the oldest of
    them happened. `next_try_at` is None unless it rests after a failure. `is_active`: a disabled app is not called.
    """

    id: int
    app_id: str
    name: str
    is_active: bool
    url: str | None
    events: tuple[str, ...]
    status: CallbackStatus
    failures: int
    last_error: str | None
    next_try_at: datetime | None
    taken_up_to: int
    pulled_up_to: int
    last_seq: int
    waiting: int
    oldest_at: datetime | None


# Indexes app_events_seq, app_events_unnumbered. Apps are few.
_LINES = text(f"""
SELECT a.id, a.app_id, a.name, a.is_active, k.url, k.events, k.status, k.attempts AS failures, k.last_error,
       CASE WHEN k.attempts > 0 AND k.status = 'ACTIVE' THEN k.next_try_at END AS next_try_at,
       k.taken_up_to, k.pulled_up_to, k.last_seq, w.waiting, w.oldest_at
  FROM app_callbacks k JOIN apps a ON a.id = k.app_id CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(created_at) AS oldest_at FROM (
      (SELECT created_at FROM app_events e WHERE e.app_id = k.app_id AND e.seq IS NULL LIMIT {MOST_COUNTED})
      UNION ALL
      (SELECT created_at FROM app_events e WHERE e.app_id = k.app_id
          AND e.seq > CASE WHEN k.url IS NULL THEN k.pulled_up_to ELSE k.taken_up_to END
        ORDER BY e.seq LIMIT {MOST_COUNTED})) counted) w
 WHERE CAST(:id AS integer) IS NULL OR k.app_id = :id
 ORDER BY (k.status <> 'ACTIVE' AND k.url IS NOT NULL) DESC, k.attempts DESC, a.app_id
""")  # noqa: S608 (a constant)


def list_endpoints(connection: Connection, *, id: int | None = None) -> list[EndpointLine]:
    """Every app that asked for events, or the one with this integer id: those that are stopped or fail first."""
    rows = connection.execute(_LINES, {"id": id}).mappings()
    words = ("events", "status")
    return [
        EndpointLine(
            **{name: value for name, value in row.items() if name not in words},
            events=tuple(row["events"]),
            status=CallbackStatus(row["status"]),
        )
        for row in rows
    ]
