"""Broadcasts on their way: expanding their chunks, closing, stopping.

The lanes' (workers/broadcasts/lane.py), but `stop` and `discard`. Planning is `plans.py`, what fails
`failures.py`, reports are `reports.py`, taking back is `recalls.py`. A chunk is
marked in the transaction that inserts its deliveries, so that progress is a sum over chunks and never a
guess. Whoever locks both locks a chunk before its broadcast.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import BroadcastStatus, Chunk
from storage.model.message import Message
from storage.postgres.held_apps import is_held
from storage.postgres.message_rows import read_message
from storage.postgres.sends.withdrawals import check_broadcast, withdraw

# A chunk of an earlier broadcast of the app that names some of the same people and is not on the bus yet
# (contract §2, Order). Ranges may meet where people do not: then one waits a little for nothing. What
# was set aside is not waited for, nor what will never be published. Index broadcast_chunks_open.
_IS_BARRED = """EXISTS (
  SELECT FROM broadcast_chunks e JOIN broadcasts o ON o.id = e.broadcast_id
   WHERE e.state IN ('waiting', 'expanded') AND e.app_id = c.app_id
     AND e.broadcast_id < c.broadcast_id
     AND e.first_user_id <= c.last_user_id AND e.last_user_id >= c.first_user_id
     AND (o.status = 'EXPANDING' OR o.status = 'CANCELLED' AND e.state = 'expanded')
     AND (e.error IS NULL OR e.attempts < :max_attempts))
"""
_OF_CHUNK = "c.broadcast_id, c.number, c.app_id, c.user_ids"
# Of the next app in turn the oldest broadcast's first chunk that nobody has: apps take turns whatever
# they send, and one app's broadcasts come in order.
_IS_NEXT = f"""
   c.state = 'waiting' AND c.app_id > :after_app_id
     AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
     AND NOT {is_held("c.app_id")}
"""
# The row is locked and looked at first, so of two lanes one inserts and the other finds the next chunk.
# Rows go in by user_id, as the ids are stored: the lock order of every writer. Whether it is barred is
# asked in the same snapshot: what that shows as published is, and what it does not show comes later.
# Index broadcast_chunks_waiting.
_EXPAND = f"""
WITH chunk AS MATERIALIZED (
  SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, m.created_at
    FROM broadcast_chunks c
    JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
    JOIN messages m ON m.id = c.broadcast_id
   WHERE {{which}}
   ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1
     FOR UPDATE OF c SKIP LOCKED
), people AS MATERIALIZED (
  SELECT unnest(user_ids) AS user_id, -app_id AS peer_id, broadcast_id AS id, created_at FROM chunk
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id) SELECT user_id, peer_id, id FROM people
), counters AS (
  INSERT INTO conversations AS c (user_id, peer_id, unread_count, last_message_id, updated_at)
  SELECT user_id, peer_id, 1, id, created_at FROM people
  ON CONFLICT (user_id, peer_id) DO UPDATE
     SET unread_count = c.unread_count + 1,
         last_message_id = greatest(c.last_message_id, excluded.last_message_id),
         updated_at = greatest(c.updated_at, excluded.updated_at)
)
UPDATE broadcast_chunks c
   SET state = 'expanded', error = NULL, attempts = least(c.attempts + 1, 1000),
       lease_until = clock_timestamp() + :lease
  FROM chunk
 WHERE (c.broadcast_id, c.number) = (chunk.broadcast_id, chunk.number)
RETURNING {_OF_CHUNK}, {_IS_BARRED} AS is_barred
"""  # noqa: S608 (as above)
_EXPAND_NEXT = text(_EXPAND.format(which=_IS_NEXT))
_EXPAND_ONE = text(
    _EXPAND.format(which="c.state = 'waiting' AND c.broadcast_id = :id AND c.number = :number")
)


def expand_next(
    connection: Connection, *, after_app_id: int = 0, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """Insert the next chunk's deliveries, move its counters and mark it, all at once; None: none waits.

    Of the first app after `after_app_id`. It is this lane's to publish for `lease`, then anyone's; what is
    barred is not to be published yet. One statement: a lane that dies has done all of it, or nothing and
    holds nothing.
    """
    parameters = {"after_app_id": after_app_id, "lease": lease, "max_attempts": max_attempts}
    return _chunk(connection.execute(_EXPAND_NEXT, parameters).first())


def expand(
    connection: Connection, chunk: Chunk, *, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """The same for this chunk; None if it is done, in another's hands, or stopped."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    asked = parameters | {"lease": lease, "max_attempts": max_attempts}
    return _chunk(connection.execute(_EXPAND_ONE, asked).first())


def _chunk(row: Row[Any] | None) -> Chunk | None:
    if row is None:
        return None
    is_barred = bool(getattr(row, "is_barred", False))
    return Chunk(row.broadcast_id, row.number, row.app_id, tuple(row.user_ids), is_barred)


_SUSPECT = text(f"""
SELECT {_OF_CHUNK}
  FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
 WHERE {_IS_NEXT}
 ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")  # noqa: S608 (as above)


def suspect(connection: Connection, *, after_app_id: int) -> Chunk | None:
    """The chunk that `expand_next` would take: after a failure, to find out which it was."""
    return _chunk(connection.execute(_SUSPECT, {"after_app_id": after_app_id}).first())


# What a lane expanded and did not get to publish. Also of a broadcast that was cancelled meanwhile:
# its people have it, so they are told. Not of one that is recalled. Index broadcast_chunks_open.
_CLAIM_UNPUBLISHED = text(f"""
UPDATE broadcast_chunks c
   SET lease_until = clock_timestamp() + :lease, attempts = least(c.attempts + 1, 1000)
  FROM (
    SELECT c.broadcast_id, c.number
      FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
     WHERE c.state = 'expanded' AND b.status IN ('EXPANDING', 'CANCELLED')
       AND c.lease_until < clock_timestamp() AND NOT {_IS_BARRED}
     ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
  ) next
 WHERE (c.broadcast_id, c.number) = (next.broadcast_id, next.number)
RETURNING {_OF_CHUNK}
""")  # noqa: S608 (as above)


def claim_unpublished(
    connection: Connection, *, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """Take a chunk that is expanded, in nobody's hands, and may be published, for `lease`; None: none is."""
    asked = {"lease": lease, "max_attempts": max_attempts}
    return _chunk(connection.execute(_CLAIM_UNPUBLISHED, asked).first())


_MARK_PUBLISHED = text("""
UPDATE broadcast_chunks SET state = 'published', error = NULL, lease_until = NULL
 WHERE broadcast_id = :id AND number = :number AND state = 'expanded'
""")


def mark_published(connection: Connection, chunk: Chunk) -> None:
    """Note that a chunk's event is on the bus, and close the broadcast if it was the last."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_MARK_PUBLISHED, parameters)
    close(connection, chunk.broadcast_id)


_PUT_BACK = text("""
UPDATE broadcast_chunks SET lease_until = clock_timestamp() + :wait, attempts = attempts - 1
 WHERE broadcast_id = :id AND number = :number AND state = 'expanded'
""")


def put_back(connection: Connection, chunk: Chunk, *, wait: timedelta) -> None:
    """Let an expanded chunk be taken up again after `wait`; not being published yet is no attempt."""
    connection.execute(_PUT_BACK, {"id": chunk.broadcast_id, "number": chunk.number, "wait": wait})


# The row is locked before the chunks are summed: of two lanes that finish the last two chunks at
# once, the second to get here sees both.
_LOCK = text("SELECT status FROM broadcasts WHERE id = :id AND status = 'EXPANDING' FOR UPDATE")
_CLOSE = text("""
UPDATE broadcasts b
   SET status = 'DONE', finished_at = clock_timestamp()
  FROM (SELECT coalesce(sum(size) FILTER (WHERE state = 'published'), 0) AS published
          FROM broadcast_chunks WHERE broadcast_id = :id) s
 WHERE b.id = :id AND b.status = 'EXPANDING' AND s.published = b.total
""")
_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM broadcast_chunks
                WHERE app_id = (SELECT app_id FROM broadcasts WHERE id = :id)
                  AND broadcast_id = :id AND state IN ('waiting', 'expanded'))
""")


def close(connection: Connection, broadcast_id: int) -> None:
    """Set DONE if every one of `total` has it; else change nothing."""
    # Most chunks are not the last: ask without a lock first (index broadcast_chunks_open). Two lanes
    # that both still see the other's chunk open are put right by the sweep.
    if connection.execute(_IS_OPEN, {"id": broadcast_id}).scalar_one():
        return
    if connection.execute(_LOCK, {"id": broadcast_id}).first():
        connection.execute(_CLOSE, {"id": broadcast_id})


_STOP = text("""
UPDATE broadcasts SET status = 'CANCELLED', finished_at = clock_timestamp()
 WHERE id = :id AND status IN ('PENDING', 'EXPANDING')
""")


def stop(connection: Connection, broadcast_id: int) -> None:
    """Cancel: nothing more is planned, and no lane that begins now takes a chunk.

    In every state it is in, also scheduled or not persisted yet; one that has come to rest stays as it
    is. `discard` must follow, in a transaction of its own: see there. Raises NotFound if it is none.
    """
    check_broadcast(connection, broadcast_id)
    if not withdraw(connection, broadcast_id, status=BroadcastStatus.CANCELLED):
        connection.execute(_STOP, {"id": broadcast_id})


# A lane that looked before the stop was committed holds its chunk's lock: this waits for it, and then
# passes over the chunk. One that comes for the lock later finds the chunk cancelled. In a transaction
# of its own, because lanes take a chunk before its broadcast.
_DISCARD = text("""
UPDATE broadcast_chunks c SET state = 'cancelled', error = NULL, lease_until = NULL
  FROM broadcasts b
 WHERE b.id = c.broadcast_id AND b.status IN ('CANCELLED', 'RECALLING')
   AND c.broadcast_id = :id AND c.state = 'waiting'
""")


def discard(connection: Connection, broadcast_id: int) -> int:
    """After a stop: what is not expanded when this is committed never will be. How many chunks.

    Safe to repeat; changes nothing unless the broadcast was stopped.
    """
    return connection.execute(_DISCARD, {"id": broadcast_id}).rowcount


_UNFINISHED = text("SELECT id FROM broadcasts WHERE status = 'EXPANDING' ORDER BY id")


def unfinished(connection: Connection) -> list[int]:
    """Broadcasts being expanded, oldest first (index broadcasts_unfinished)."""
    return list(connection.execute(_UNFINISHED).scalars())


# Indexes broadcasts_pending, broadcast_chunks_open, broadcasts_unfinished.
_IS_DUE = text(f"""
SELECT EXISTS (SELECT FROM broadcasts p WHERE p.status = 'PENDING'
                  AND (p.rest_until IS NULL OR p.rest_until < clock_timestamp())
                  AND NOT {is_held("p.app_id")})
    OR EXISTS (SELECT FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
                WHERE c.state IN ('waiting', 'expanded')
                  AND (b.status = 'EXPANDING' OR b.status = 'CANCELLED' AND c.state = 'expanded')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
                  AND NOT (c.state = 'waiting' AND {is_held("c.app_id")}))
    OR EXISTS (SELECT FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
                WHERE b.status = 'RECALLING' AND c.state IN ('published', 'expanded', 'taken_back')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp()))
""")  # noqa: S608 (as above)


def is_due(connection: Connection) -> bool:
    """Whether a lane would find something to do."""
    return bool(connection.execute(_IS_DUE).scalar_one())


_MESSAGE = text("""
SELECT m.*, a.name AS app_name, b.origin
  FROM messages m JOIN broadcasts b USING (id) LEFT JOIN apps a ON a.id = m.app_id WHERE m.id = :id
""")


def message(connection: Connection, broadcast_id: int) -> tuple[Message, str]:
    """The message that a broadcast carries, and the text of its `model.origin.Origin`."""
    row = connection.execute(_MESSAGE, {"id": broadcast_id}).one()
    return read_message(row), row.origin or ""


# A change is of interest as long as a broadcast that was accepted before it may still be planned.
_FORGET_CHANGES = text("""
DELETE FROM activity_changes WHERE ctid = ANY (ARRAY (
SELECT ctid FROM activity_changes
 WHERE changed_at < least(
   least(clock_timestamp(), CAST(:now AS timestamptz)) - interval '1 hour',
   (SELECT min(accepted_at) FROM accepted WHERE is_broadcast),
   (SELECT min(accepted_at) FROM broadcasts WHERE status = 'PENDING'),
   (SELECT min(CAST(payload ->> 'accepted_at' AS timestamptz)) FROM failed_sends
     WHERE CAST(payload ->> 'is_broadcast' AS boolean)))
 ORDER BY changed_at LIMIT :slice FOR UPDATE SKIP LOCKED))
""")


def forget_changes(connection: Connection, *, slice: int = 10_000) -> int:
    """Drop what is known of who was active when no broadcast can ask for it any more; how many rows.

    At most `slice` (index activity_changes_changed_at).
    """
    asked = {"slice": slice, "now": datetime.now(UTC)}
    return connection.execute(_FORGET_CHANGES, asked).rowcount


_STOPPED = text("""
SELECT DISTINCT b.id FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
 WHERE c.state = 'waiting' AND b.status IN ('CANCELLED', 'RECALLING')
""")


def undiscarded(connection: Connection) -> list[int]:
    """Stopped broadcasts whose `discard` did not follow (index broadcast_chunks_waiting)."""
    return list(connection.execute(_STOPPED).scalars())


# Index broadcasts_unfinished, and the primary key of the chunks of the few that it finds.
_CHUNK_STATES = text("""
SELECT c.state, count(*) AS chunks FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
 WHERE b.status IN ('PENDING', 'EXPANDING', 'RECALLING') GROUP BY c.state
""")


def chunk_states(connection: Connection) -> dict[str, int]:
    """How many chunks of the broadcasts that run now are in each state, also in one of a newer version."""
    return {row.state: row.chunks for row in connection.execute(_CHUNK_STATES)}
