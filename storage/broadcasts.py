"""Broadcasts on their way: expanding their chunks, closing, stopping.

The lanes' (workers/expand.py), but `stop` and `discard`. Planning is `broadcast_plans.py`, reports are
`broadcast_reports.py`, taking back is `broadcast_recalls.py`. A chunk is marked in the transaction that inserts its deliveries, so that
progress is a sum over chunks and never a guess. Whoever locks both locks a chunk before its broadcast.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.accepted import message_of
from storage.model.broadcast import BroadcastStatus, Chunk, ChunkState
from storage.model.message import Message
from storage.withdrawals import withdraw

# Of the next app in turn the oldest broadcast's first chunk that nobody has: apps take turns whatever
# they send, and one app's broadcasts come in order. The row is locked and looked at first, so of two
# lanes one inserts and the other finds the next chunk. Rows go in by user_id, as the ids are stored:
# the lock order of every writer. Index broadcast_chunks_waiting.
_EXPAND = """
WITH chunk AS MATERIALIZED (
  SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, m.created_at
    FROM broadcast_chunks c
    JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
    JOIN messages m ON m.id = c.broadcast_id
   WHERE c.state = 'waiting' AND {which}
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
   SET state = 'expanded', attempts = c.attempts + 1, lease_until = clock_timestamp() + :lease
  FROM chunk
 WHERE (c.broadcast_id, c.number) = (chunk.broadcast_id, chunk.number)
RETURNING c.broadcast_id, c.number, c.app_id, c.user_ids
"""
_EXPAND_NEXT = text(
    _EXPAND.format(
        which="""c.app_id > :after_app_id
     AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())"""
    )
)
_EXPAND_ONE = text(_EXPAND.format(which="c.broadcast_id = :id AND c.number = :number"))


def expand_next(connection: Connection, *, after_app_id: int = 0, lease: timedelta) -> Chunk | None:
    """Insert the next chunk's deliveries, move its counters and mark it, all at once; None: none waits.

    Of the first app after `after_app_id`. It is this lane's to publish for `lease`, then anyone's. One
    statement: a lane that dies has done all of it, or nothing and holds nothing.
    """
    parameters = {"after_app_id": after_app_id, "lease": lease}
    return _chunk(connection.execute(_EXPAND_NEXT, parameters).first())


def expand(connection: Connection, chunk: Chunk, *, lease: timedelta) -> bool:
    """The same for this chunk; False if it is done, in another's hands, or stopped."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number, "lease": lease}
    return connection.execute(_EXPAND_ONE, parameters).first() is not None


def _chunk(row: Row[Any] | None) -> Chunk | None:
    return row and Chunk(row.broadcast_id, row.number, row.app_id, tuple(row.user_ids))


_SUSPECT = text("""
SELECT c.broadcast_id, c.number, c.app_id, c.user_ids
  FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
 WHERE c.state = 'waiting' AND c.app_id > :after_app_id
   AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
 ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")


def suspect(connection: Connection, *, after_app_id: int) -> Chunk | None:
    """The chunk that `expand_next` would take: after a failure, to find out which it was."""
    return _chunk(connection.execute(_SUSPECT, {"after_app_id": after_app_id}).first())


# What a lane expanded and did not get to publish. Also of a broadcast that was cancelled meanwhile:
# its people have it, so they are told. Index broadcast_chunks_open.
_CLAIM_UNPUBLISHED = text("""
UPDATE broadcast_chunks c
   SET lease_until = clock_timestamp() + :lease, attempts = c.attempts + 1
  FROM (
    SELECT o.broadcast_id, o.number
      FROM broadcast_chunks o JOIN broadcasts b ON b.id = o.broadcast_id
     WHERE o.state = 'expanded' AND b.status IN ('EXPANDING', 'CANCELLED')
       AND o.lease_until < clock_timestamp()
     ORDER BY o.broadcast_id, o.number LIMIT 1 FOR UPDATE OF o SKIP LOCKED
  ) next
 WHERE (c.broadcast_id, c.number) = (next.broadcast_id, next.number)
RETURNING c.broadcast_id, c.number, c.app_id, c.user_ids
""")


def claim_unpublished(connection: Connection, *, lease: timedelta) -> Chunk | None:
    """Take a chunk whose lane left it expanded and not published, for `lease`; None if there is none."""
    return _chunk(connection.execute(_CLAIM_UNPUBLISHED, {"lease": lease}).first())


_MARK_PUBLISHED = text("""
UPDATE broadcast_chunks SET state = 'published', lease_until = NULL
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
    """Let an expanded chunk be taken up again after `wait`; not being published is no attempt."""
    connection.execute(_PUT_BACK, {"id": chunk.broadcast_id, "number": chunk.number, "wait": wait})


_FAIL = text("""
UPDATE broadcast_chunks
   SET error = :error, attempts = attempts + 1,
       state = CASE WHEN attempts + 1 >= :max_attempts THEN 'failed' ELSE state END,
       lease_until = clock_timestamp() + make_interval(secs => 0.5 * power(2, attempts))
 WHERE broadcast_id = :id AND number = :number AND state = 'waiting'
""")


def count_failure(connection: Connection, chunk: Chunk, *, error: str, max_attempts: int) -> None:
    """Note that expanding a chunk raised `error`; it is tried again later, or is failed for good."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_FAIL, parameters | {"error": error, "max_attempts": max_attempts})
    close(connection, chunk.broadcast_id)


# The row is locked before the chunks are summed: of two lanes that finish the last two chunks at
# once, the second to get here sees both.
_LOCK = text("SELECT status FROM broadcasts WHERE id = :id AND status = 'EXPANDING' FOR UPDATE")
_CLOSE = text("""
UPDATE broadcasts b
   SET status = CASE WHEN s.published = b.total THEN 'DONE' ELSE 'FAILED' END,
       finished_at = clock_timestamp()
  FROM (SELECT coalesce(sum(size) FILTER (WHERE state = 'published'), 0) AS published,
               coalesce(bool_or(state IN ('waiting', 'expanded')), false) AS is_open
          FROM broadcast_chunks WHERE broadcast_id = :id) s
 WHERE b.id = :id AND b.status = 'EXPANDING' AND NOT s.is_open
""")
_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM broadcast_chunks
                WHERE broadcast_id = :id AND state IN ('waiting', 'expanded'))
""")


def close(connection: Connection, broadcast_id: int) -> None:
    """Set DONE if every one of `total` has it, FAILED if some never will; else change nothing."""
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
    is. `discard` must follow, in a transaction of its own: see there.
    """
    if not withdraw(connection, broadcast_id, status=BroadcastStatus.CANCELLED):
        connection.execute(_STOP, {"id": broadcast_id})


# A lane that looked before the stop was committed holds its chunk's lock: this waits for it, and then
# passes over the chunk. One that comes for the lock later finds the chunk cancelled. In a transaction
# of its own, because lanes take a chunk before its broadcast.
_DISCARD = text("""
UPDATE broadcast_chunks c SET state = 'cancelled', lease_until = NULL
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
_IS_DUE = text("""
SELECT EXISTS (SELECT 1 FROM broadcasts WHERE status = 'PENDING')
    OR EXISTS (SELECT 1 FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
                WHERE c.state IN ('waiting', 'expanded')
                  AND (b.status = 'EXPANDING' OR b.status = 'CANCELLED' AND c.state = 'expanded')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp()))
    OR EXISTS (SELECT 1 FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
                WHERE b.status = 'RECALLING' AND c.state IN ('published', 'expanded', 'taken_back')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp()))
""")


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
    return message_of(row), row.origin or ""


# A change is of interest as long as a broadcast that was accepted before it may still be planned.
_FORGET_CHANGES = text("""
DELETE FROM activity_changes
 WHERE changed_at < least(
   clock_timestamp() - interval '1 hour',
   (SELECT min(accepted_at) FROM accepted WHERE is_broadcast),
   (SELECT min(accepted_at) FROM broadcasts WHERE status = 'PENDING'),
   (SELECT min(CAST(payload ->> 'accepted_at' AS timestamptz)) FROM failed_sends
     WHERE CAST(payload ->> 'is_broadcast' AS boolean)))
""")


def forget_changes(connection: Connection) -> int:
    """Drop what is known of who was active when no broadcast can ask for it any more; how many rows."""
    return connection.execute(_FORGET_CHANGES).rowcount


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


def chunk_states(connection: Connection) -> dict[ChunkState, int]:
    """How many chunks of the broadcasts that run now are in each state."""
    return {ChunkState(row.state): row.chunks for row in connection.execute(_CHUNK_STATES)}
