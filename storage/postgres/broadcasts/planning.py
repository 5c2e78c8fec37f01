"""Planning a broadcast: its audience, as it was when the broadcast was accepted, becomes chunks, a slice at a time.

Called by the broadcast lanes (`workers/broadcasts/lane.py`). The broadcasts of an app are planned one at a time, oldest
first. A plan that fails is tried again after growing pauses; for a few attempts the app's other broadcasts wait for it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.postgres.broadcasts.expansion import close_if_done
from storage.postgres.held_apps import build_held_condition

# The next app that has a pending broadcast is found app by app, without reading the thousands that one app may have.
# - Of each app the oldest is taken, unless it failed so often that the next ones go first.
# - A broadcast is begun when no chunk of the app's earlier ones waits: a broadcast that waits to be planned costs nothing,
#   and a burst of them does not become gigabytes of ids. One that is begun goes on in any case, so that two can never
#   wait for each other.
# - Only then is it locked, and its status read again. If another planner has locked it, this one passes over the app, and
#   does not take the app's next broadcast.
# - LIMIT keeps PostgreSQL from reading all waiting chunks. There is no ORDER BY, which would lock every app's oldest.
# Indexes broadcasts_pending, broadcast_chunks_waiting.
_NEXT_PENDING = text(f"""
WITH RECURSIVE turn (app_id) AS (
  (SELECT app_id FROM broadcasts WHERE status = 'PENDING' AND app_id > :after_app_id
    ORDER BY app_id LIMIT 1)
   UNION ALL
  SELECT (SELECT b.app_id FROM broadcasts b
           WHERE b.status = 'PENDING' AND b.app_id > turn.app_id ORDER BY b.app_id LIMIT 1)
    FROM turn WHERE turn.app_id IS NOT NULL
), oldest AS MATERIALIZED (
  SELECT o.id FROM turn CROSS JOIN LATERAL (
    SELECT b.id, b.app_id, b.started_at, b.rest_until FROM broadcasts b
     WHERE b.status = 'PENDING' AND b.app_id = turn.app_id
       AND (b.attempts < :max_attempts OR b.rest_until <= clock_timestamp())
     ORDER BY b.id LIMIT 1) o
   WHERE (o.rest_until IS NULL OR o.rest_until <= clock_timestamp())
     AND NOT {build_held_condition("o.app_id")}
     AND (o.started_at IS NOT NULL OR (
       SELECT c.number FROM broadcast_chunks c JOIN broadcasts e ON e.id = c.broadcast_id
        WHERE c.state = 'waiting' AND c.app_id = o.app_id AND e.status = 'EXPANDING'
          AND c.attempts < :max_attempts LIMIT 1) IS NULL)
)
SELECT p.* FROM oldest CROSS JOIN LATERAL (
  SELECT id, app_id, accepted_at, planned_up_to, audience IS NOT NULL AS has_list
    FROM broadcasts b WHERE b.id = oldest.id AND b.status = 'PENDING' FOR UPDATE SKIP LOCKED) p
 LIMIT 1
""")  # noqa: S608 (a constant)
_ONE_PENDING = text("""
SELECT id, app_id, accepted_at, planned_up_to, audience IS NOT NULL AS has_list
  FROM broadcasts WHERE id = :id AND status = 'PENDING' FOR UPDATE SKIP LOCKED
""")

# Who was active at an instant: people who are active now and have not changed since, and people who changed since and were
# active before their first change. Both are read in the order of ids from where the last slice ended, so that every
# slice costs the same (index users_active; few change). NOT IN keeps that order, where an anti-join would sort everyone.
# Chunks are made one after the other as arrays, which takes less time than numbering all rows and grouping them. The
# product is cast, because psycopg sends small numbers as int2, which overflows.
_CHANGED = """
WITH RECURSIVE changed AS MATERIALIZED (
  SELECT DISTINCT ON (user_id) user_id, was_active FROM activity_changes
   WHERE changed_at > :accepted_at ORDER BY user_id, number
"""
_OF_EVERYONE = """
), step (place, ids) AS (
  SELECT -1, ARRAY[CAST(:after AS bigint)]
   UNION ALL
  SELECT place + 1, ARRAY(
    (SELECT u.id FROM users u
      WHERE u.status = 'ACTIVE' AND NOT u.is_deleted AND u.created_at <= :accepted_at
        AND u.id > step.ids[cardinality(step.ids)]
        AND u.id NOT IN (SELECT user_id FROM changed) ORDER BY u.id LIMIT :chunk_size)
     UNION ALL
    (SELECT u.id FROM changed JOIN users u ON u.id = changed.user_id
      WHERE was_active AND u.created_at <= :accepted_at
        AND u.id > step.ids[cardinality(step.ids)])
     ORDER BY id LIMIT :chunk_size)
    FROM step WHERE place + 1 < :chunks AND (place < 0 OR cardinality(ids) = :chunk_size)
"""
# A list is short enough to be numbered and grouped. Read again for every chunk, a long one would take seconds a slice.
_OF_LIST = """
), listed AS MATERIALIZED (
  SELECT u.id
    FROM (SELECT DISTINCT unnest(audience) AS id FROM broadcasts WHERE id = :id) named
    JOIN users u USING (id) LEFT JOIN changed ON changed.user_id = u.id
   WHERE u.id > :after AND u.created_at <= :accepted_at
     AND coalesce(changed.was_active, u.status = 'ACTIVE' AND NOT u.is_deleted)
   ORDER BY u.id LIMIT CAST(:chunk_size AS bigint) * :chunks
), step (place, ids) AS (
  SELECT place, array_agg(id ORDER BY id)
    FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / :chunk_size AS place FROM listed) numbered
   GROUP BY place
"""
_SLICE = """
), new_chunks AS (
  INSERT INTO broadcast_chunks (broadcast_id, number, app_id, user_ids, size, first_user_id,
                                last_user_id)
  SELECT :id, place + (SELECT coalesce(max(number) + 1, 0) FROM broadcast_chunks WHERE broadcast_id = :id),
         :app_id, ids, cardinality(ids), ids[1], ids[cardinality(ids)]
    FROM step WHERE place >= 0 AND cardinality(ids) > 0
  RETURNING size, last_user_id
), added AS (
  SELECT coalesce(sum(size), 0) AS people, max(last_user_id) AS last_user_id FROM new_chunks
), outcome AS (
  SELECT added.*, people < CAST(:chunk_size AS bigint) * :chunks AS is_complete FROM added
)
UPDATE broadcasts SET total = total + people,
       planned_up_to = coalesce(last_user_id, planned_up_to),
       status = CASE WHEN is_complete THEN 'EXPANDING' ELSE status END,
       attempts = 0, error = NULL, rest_until = NULL,
       planned_at = CASE WHEN is_complete THEN clock_timestamp() END,
       started_at = coalesce(started_at, clock_timestamp())
  FROM outcome WHERE id = :id
RETURNING is_complete
"""
_PLAN_EVERYONE = text(_CHANGED + _OF_EVERYONE + _SLICE)
_PLAN_LIST = text(_CHANGED + _OF_LIST + _SLICE)


@dataclass(frozen=True, slots=True)
class PlannedSlice:
    """A slice of a broadcast's audience is in chunks; `is_complete`: it was the last slice."""

    broadcast_id: int
    app_id: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """How many people a chunk and a slice have.

    After `max_attempts` failures of a plan, other broadcasts of its app go first.
    """

    chunk_size: int
    people: int = 25_000
    max_attempts: int = 5

    @property
    def chunks(self) -> int:
        """How many chunks a slice has: at least one."""
        return max(1, self.people // self.chunk_size)


def plan_next(
    connection: Connection, limits: PlanLimits, *, after_app_id: int = 0
) -> PlannedSlice | None:
    """Plan the next slice of a pending broadcast, of the next app after `after_app_id`; None if there is none.

    The audience is everyone who was active when the broadcast was accepted (contract §3), no matter who joins or leaves
    before, between and after the slices. Safe to repeat, and for several lanes at once.
    """
    parameters = {"after_app_id": after_app_id, "max_attempts": limits.max_attempts}
    pending = connection.execute(_NEXT_PENDING, parameters).first()
    return _plan_slice(connection, pending, limits) if pending else None


def plan_broadcast(
    connection: Connection, broadcast_id: int, limits: PlanLimits
) -> PlannedSlice | None:
    """Plan the next slice of this broadcast; None if it is not pending any more, or locked by another lane."""
    pending = connection.execute(_ONE_PENDING, {"id": broadcast_id}).first()
    return _plan_slice(connection, pending, limits) if pending else None


def _plan_slice(connection: Connection, pending: Row[Any], limits: PlanLimits) -> PlannedSlice:
    parameters = {
        "id": pending.id,
        "app_id": pending.app_id,
        "accepted_at": pending.accepted_at,
        "after": pending.planned_up_to,
        "chunk_size": limits.chunk_size,
        "chunks": limits.chunks,
    }
    statement = _PLAN_LIST if pending.has_list else _PLAN_EVERYONE
    is_complete = connection.execute(statement, parameters).scalar_one()
    if is_complete:
        close_if_done(connection, pending.id)
    return PlannedSlice(pending.id, pending.app_id, is_complete)


@dataclass(frozen=True, slots=True)
class PendingBroadcast:
    """A broadcast that waits to be planned."""

    broadcast_id: int
    app_id: int


def find_next_pending(
    connection: Connection, limits: PlanLimits, *, after_app_id: int
) -> PendingBroadcast | None:
    """Lock and return the broadcast that `plan_next` would take; None if there is none.

    After a failure, to find out which broadcast failed.
    """
    parameters = {"after_app_id": after_app_id, "max_attempts": limits.max_attempts}
    row = connection.execute(_NEXT_PENDING, parameters).first()
    return PendingBroadcast(row.id, row.app_id) if row else None


# A change is needed as long as a broadcast that was accepted before it may still be planned.
_PURGE_CHANGES = text("""
DELETE FROM activity_changes WHERE ctid = ANY (ARRAY (
SELECT ctid FROM activity_changes
 WHERE changed_at < least(
   least(clock_timestamp(), CAST(:now AS timestamptz)) - interval '1 hour',
   (SELECT min(accepted_at) FROM accepted WHERE is_broadcast),
   (SELECT min(accepted_at) FROM broadcasts WHERE status = 'PENDING'),
   (SELECT min(CAST(payload ->> 'accepted_at' AS timestamptz)) FROM held_sends WHERE is_broadcast),
   (SELECT min(CAST(payload ->> 'accepted_at' AS timestamptz)) FROM failed_sends
     WHERE CAST(payload ->> 'is_broadcast' AS boolean)))
 ORDER BY changed_at LIMIT :slice FOR UPDATE SKIP LOCKED))
""")


def purge_activity_changes(connection: Connection, *, slice: int = 10_000) -> int:
    """Delete up to `slice` changes of who is active that no broadcast can need any more; returns how many.

    Index activity_changes_changed_at.
    """
    asked = {"slice": slice, "now": datetime.now(UTC)}
    return connection.execute(_PURGE_CHANGES, asked).rowcount
