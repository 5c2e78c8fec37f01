"""Which endpoints are to be called now, who has one in hand, and what came of its calls. For the callbacks worker.

A worker takes an endpoint with a lease. Until that ends no other worker calls it, and if the worker dies, another goes on behind
what was marked: each event is pushed at least once, always under the same name.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from storage.postgres.app_events.numbering import GATHERED_JUST_NOW

# A lease that ends later is of before the clock was set back, and is none.
LONGEST_LEASE = timedelta(minutes=2)
# An event that nobody has numbered counts too: its number is given out by who is about to push it. Events of a disabled app
# wait until it is enabled again. Indexes app_events_unnumbered, app_reads_pkey; the table has a row for each app that asked.
_IS_DUE = f"""
k.url IS NOT NULL AND k.status = 'ACTIVE' AND (k.attempts = 0 OR k.next_try_at <= clock_timestamp())
AND (k.lease_until IS NULL
     OR k.lease_until NOT BETWEEN clock_timestamp() AND clock_timestamp() + interval '{LONGEST_LEASE}')
AND (k.last_seq > k.taken_up_to
     OR EXISTS (SELECT FROM app_events e WHERE e.app_id = k.app_id AND e.seq IS NULL)
     OR NOT {GATHERED_JUST_NOW} AND EXISTS (SELECT FROM app_reads r WHERE r.app_id = k.app_id))
AND EXISTS (SELECT FROM apps a WHERE a.id = k.app_id AND a.is_active)
"""  # noqa: S608 (constants)
_HAS_DUE = text(f"SELECT EXISTS (SELECT FROM app_callbacks k WHERE {_IS_DUE})")  # noqa: S608 (as above)
# Endpoints that another transaction has locked are being numbered, or taken, at this moment.
_TAKE = text(f"""
WITH due AS (
  SELECT app_id FROM app_callbacks k
   WHERE {_IS_DUE} AND (:failing OR attempts = 0 AND NOT app_id = ANY(CAST(:slow AS integer[])))
   ORDER BY next_try_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE app_callbacks k SET lease_until = clock_timestamp() + CAST(:lease AS interval) FROM due WHERE k.app_id = due.app_id
RETURNING k.app_id, k.url, k.attempts, k.taken_up_to, k.lease_until
""")  # noqa: S608 (as above)


@dataclass(frozen=True, slots=True)
class TakenEndpoint:
    """An endpoint that a worker has in hand until `lease_until`, which is also what its marks are known by.

    `attempts`: how many calls failed since the last that did not. It has taken all up to the number `taken_up_to`.
    """

    app_id: int
    url: str
    attempts: int
    taken_up_to: int
    lease_until: datetime


def has_due_endpoint(connection: Connection) -> bool:
    """Whether an endpoint is to be called that no worker has in hand."""
    return bool(connection.execute(_HAS_DUE).scalar_one())


@dataclass(frozen=True, slots=True)
class EndpointsState:
    """How apps' endpoints are, for who watches.

    `oldest_seconds`: the age of the oldest event that an active endpoint has not taken. `overdue_seconds`: for how long the one
    that waits longest could have been called. Both are 0 if there is none. `paused`, `off`: how many are called no more.
    """

    oldest_seconds: float = 0.0
    overdue_seconds: float = 0.0
    paused: int = 0
    off: int = 0


# Indexes app_events_seq, app_events_unnumbered.
_MEASURE = text(f"""
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - oldest.at)) FILTER (WHERE k.status = 'ACTIVE'), 0) AS oldest,
       coalesce(max(extract(epoch FROM clock_timestamp() - CASE WHEN k.attempts = 0 THEN oldest.at
           ELSE greatest(oldest.at, k.next_try_at) END)) FILTER (WHERE {_IS_DUE}), 0) AS overdue,
       count(*) FILTER (WHERE k.status = 'PAUSED') AS paused, count(*) FILTER (WHERE k.status = 'OFF') AS off
  FROM app_callbacks k LEFT JOIN LATERAL (
    SELECT min(created_at) AS at FROM (
      (SELECT created_at FROM app_events e WHERE e.app_id = k.app_id AND e.seq > k.taken_up_to ORDER BY e.seq LIMIT 1)
      UNION ALL
      (SELECT created_at FROM app_events e WHERE e.app_id = k.app_id AND e.seq IS NULL ORDER BY e.number LIMIT 1)) next
  ) oldest ON true
 WHERE k.url IS NOT NULL
""")  # noqa: S608 (constants)


def measure_endpoints(connection: Connection) -> EndpointsState:
    """How all endpoints are now."""
    row = connection.execute(_MEASURE).one()
    oldest, overdue = (max(0.0, float(seconds)) for seconds in (row.oldest, row.overdue))
    return EndpointsState(oldest, overdue, row.paused, row.off)


def take_endpoints(
    connection: Connection,
    *,
    limit: int,
    failing: bool,
    lease: timedelta,
    slow: Collection[int] = (),
) -> list[TakenEndpoint]:
    """Take up to `limit` endpoints that are due, those that were called longest ago first; `lease` is at most LONGEST_LEASE.

    `failing`: also those whose last call failed, and those of the apps in `slow`. Their events have numbers only after `number_events`.
    """
    asked = {"limit": limit, "failing": failing, "lease": lease, "slow": list(slow)}
    return [TakenEndpoint(**row) for row in connection.execute(_TAKE, asked).mappings()]


# Another URL, a pause or a replay since it was taken: what came of the call is not of what stands there now.
_IS_IN_HAND = "app_id = :app_id AND lease_until = :lease_until AND url = :url AND status = 'ACTIVE'"


def _name(endpoint: TakenEndpoint) -> dict[str, Any]:
    """The parameters of _IS_IN_HAND."""
    return {
        "app_id": endpoint.app_id,
        "lease_until": endpoint.lease_until,
        "url": endpoint.url,
    }


def _mark(connection: Connection, endpoint: TakenEndpoint, change: str, **values: Any) -> bool:
    """Change the row if the endpoint is still in hand; whether it was."""
    statement = text(f"UPDATE app_callbacks SET {change} WHERE {_IS_IN_HAND} RETURNING app_id")  # noqa: S608 (constants)
    return connection.execute(statement, _name(endpoint) | values).first() is not None


_MARK_TAKEN = text(f"""
UPDATE app_callbacks
   SET taken_up_to = greatest(taken_up_to, :seq), attempts = 0, last_error = NULL, next_try_at = clock_timestamp(),
       lease_until = clock_timestamp() + CAST(:lease AS interval)
 WHERE {_IS_IN_HAND} RETURNING lease_until, taken_up_to
""")  # noqa: S608 (constants)


def mark_taken(
    connection: Connection, endpoint: TakenEndpoint, seq: int, *, lease: timedelta
) -> TakenEndpoint | None:
    """Note that the endpoint has taken all up to `seq`, and keep it for another `lease`.

    None: it is no longer in hand, and the worker has to let it be.
    """
    asked = _name(endpoint) | {"seq": seq, "lease": lease}
    row = connection.execute(_MARK_TAKEN, asked).mappings().first()
    return replace(endpoint, attempts=0, **row) if row else None


def mark_failed(
    connection: Connection, endpoint: TakenEndpoint, *, error: str, pause: timedelta | None
) -> bool:
    """Note that a call failed, and let the endpoint rest for `pause`; None: until an operator resumes it. Ends the lease."""
    return _mark(
        connection,
        endpoint,
        """attempts = attempts + 1, last_error = :error, lease_until = NULL,
        next_try_at = clock_timestamp() + coalesce(CAST(:pause AS interval), interval '0'),
        status = CASE WHEN CAST(:pause AS interval) IS NULL THEN 'PAUSED' ELSE status END""",
        error=error,
        pause=pause,
    )


def mark_gone(connection: Connection, endpoint: TakenEndpoint, *, error: str) -> bool:
    """Call the endpoint no more: it said that it is gone. Ends the lease."""
    return _mark(
        connection,
        endpoint,
        "attempts = attempts + 1, last_error = :error, lease_until = NULL, status = 'OFF'",
        error=error,
    )


def give_back(connection: Connection, endpoint: TakenEndpoint) -> bool:
    """End the lease, so that the endpoint is taken again as soon as something is due."""
    return _mark(connection, endpoint, "lease_until = NULL")


_HIGHEST = text("SELECT last_seq FROM app_callbacks WHERE app_id = :app_id")


def find_highest_number(connection: Connection, app_id: int) -> int:
    """The highest number of an event that was given out to the app; 0: none was."""
    return int(connection.execute(_HIGHEST, {"app_id": app_id}).scalar() or 0)
