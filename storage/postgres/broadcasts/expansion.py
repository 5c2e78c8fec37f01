"""Expanding a broadcast: chunk by chunk its deliveries are inserted and published, until everyone has it.

Called by the broadcast lanes (`workers/broadcasts/lane.py`). A chunk is marked in the transaction that inserts its deliveries,
so that progress is a sum over chunks and never a guess. A transaction that locks both locks a chunk before its broadcast.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.app_event import AppEventType
from storage.model.broadcast import Chunk
from storage.model.message import PersistedMessage
from storage.postgres.app_events.writing import insert_broadcast_event
from storage.postgres.held_apps import build_held_condition
from storage.postgres.message_rows import FIELDS_IN_MESSAGES, read_message

# A chunk is barred while a chunk of an earlier broadcast of its app, which may have some of the same people, is not on the
# bus yet (contract §2, Order). The ranges of ids are compared, not the ids: two chunks whose ranges overlap may have
# nobody in common, and then one waits a little for nothing. Nothing waits for a chunk that failed too often, or that
# will never be published. Index broadcast_chunks_open.
_IS_BARRED = """EXISTS (
  SELECT FROM broadcast_chunks e JOIN broadcasts o ON o.id = e.broadcast_id
   WHERE e.state IN ('waiting', 'expanded') AND e.app_id = c.app_id
     AND e.broadcast_id < c.broadcast_id
     AND e.first_user_id <= c.last_user_id AND e.last_user_id >= c.first_user_id
     AND (o.status = 'EXPANDING' OR o.status = 'CANCELLED' AND e.state = 'expanded')
     AND (e.error IS NULL OR e.attempts < :max_attempts))
"""
_CHUNK_COLUMNS = "c.broadcast_id, c.number, c.app_id, c.user_ids, c.told_version"
# The first chunk that no lane has, of the oldest broadcast of the next app: apps take turns however much they send, and
# the broadcasts of one app come in order (docs/decisions/0011-chunks-of-a-broadcast.md).
_IS_NEXT = f"""
   c.state = 'waiting' AND c.app_id > :after_app_id
     AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
     AND NOT {build_held_condition("c.app_id")}
"""
# The chunk's row is locked first, so that of two lanes one inserts and the other takes the next chunk. Deliveries and
# counters are written in the order of user_id, in which the ids are stored and all writers lock. Whether the chunk is
# barred is asked in the same snapshot: an earlier chunk that it shows as published is on the bus already.
# Index broadcast_chunks_waiting.
_EXPAND = f"""
WITH chunk AS MATERIALIZED (
  SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, m.created_at, m.state,
         coalesce(m.version, 1) AS version
    FROM broadcast_chunks c
    JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
    JOIN messages m ON m.id = c.broadcast_id
   WHERE {{which}}
   ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1
     FOR UPDATE OF c SKIP LOCKED
), people AS MATERIALIZED (
  SELECT unnest(user_ids) AS user_id, -app_id AS peer_id, broadcast_id AS id, created_at, state
    FROM chunk
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id) SELECT user_id, peer_id, id FROM people
), new_todos AS (
  INSERT INTO todos (message_id, user_id, is_open)
  SELECT id, user_id, state = 'PENDING' FROM people
   WHERE (SELECT state FROM chunk) IS NOT NULL
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
       lease_until = clock_timestamp() + :lease, told_version = chunk.version
  FROM chunk
 WHERE (c.broadcast_id, c.number) = (chunk.broadcast_id, chunk.number)
RETURNING {_CHUNK_COLUMNS}, {_IS_BARRED} AS is_barred
"""  # noqa: S608 (as above)
_EXPAND_NEXT = text(_EXPAND.format(which=_IS_NEXT))
_EXPAND_ONE = text(
    _EXPAND.format(which="c.state = 'waiting' AND c.broadcast_id = :id AND c.number = :number")
)


def expand_next(
    connection: Connection, *, after_app_id: int = 0, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """Expand the next chunk, of the first app after `after_app_id`; None if no chunk waits.

    Its deliveries are inserted, unread counters moved and the chunk marked in one statement, all or nothing. For `lease`
    it is this lane's to publish, after that any lane's; a chunk that is barred must not be published yet.
    """
    parameters = {"after_app_id": after_app_id, "lease": lease, "max_attempts": max_attempts}
    return _read_chunk(connection.execute(_EXPAND_NEXT, parameters).first())


def expand_chunk(
    connection: Connection, chunk: Chunk, *, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """Expand this chunk, as `expand_next` does; None if it is expanded or cancelled already, or locked by another lane."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    asked = parameters | {"lease": lease, "max_attempts": max_attempts}
    return _read_chunk(connection.execute(_EXPAND_ONE, asked).first())


def _read_chunk(row: Row[Any] | None) -> Chunk | None:
    if row is None:
        return None
    is_barred = bool(getattr(row, "is_barred", False))
    people = tuple(row.user_ids)
    return Chunk(
        row.broadcast_id, row.number, row.app_id, people, is_barred, version=row.told_version
    )


_FIND_NEXT = text(f"""
SELECT {_CHUNK_COLUMNS}
  FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id AND b.status = 'EXPANDING'
 WHERE {_IS_NEXT}
 ORDER BY c.app_id, c.broadcast_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")  # noqa: S608 (as above)


def find_next_chunk(connection: Connection, *, after_app_id: int) -> Chunk | None:
    """Lock and return the chunk that `expand_next` would take; None if no chunk waits.

    After a failure, to find out which chunk failed.
    """
    return _read_chunk(connection.execute(_FIND_NEXT, {"after_app_id": after_app_id}).first())


# Chunks that a lane expanded and did not publish. Also those of a cancelled broadcast: their people have it, so they are
# told. Not those of a recalled one. Index broadcast_chunks_open.
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
RETURNING {_CHUNK_COLUMNS}
""")  # noqa: S608 (as above)


def claim_unpublished(
    connection: Connection, *, lease: timedelta, max_attempts: int = 5
) -> Chunk | None:
    """Take an expanded chunk whose lease is over and that is not barred, to publish it within `lease`; None: there is none."""
    asked = {"lease": lease, "max_attempts": max_attempts}
    return _read_chunk(connection.execute(_CLAIM_UNPUBLISHED, asked).first())


_MARK_PUBLISHED = text("""
UPDATE broadcast_chunks SET state = 'published', error = NULL, lease_until = NULL
 WHERE broadcast_id = :id AND number = :number AND state = 'expanded'
""")


def mark_published(connection: Connection, chunk: Chunk) -> None:
    """Note that the event of a chunk is on the bus, and close the broadcast if that was its last chunk."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_MARK_PUBLISHED, parameters)
    close_if_done(connection, chunk.broadcast_id)


_POSTPONE = text("""
UPDATE broadcast_chunks SET lease_until = clock_timestamp() + :wait, attempts = attempts - 1
 WHERE broadcast_id = :id AND number = :number AND state = 'expanded'
""")


def postpone_publishing(connection: Connection, chunk: Chunk, *, wait: timedelta) -> None:
    """Let an expanded chunk be published by any lane after `wait`; the attempt is not counted."""
    connection.execute(_POSTPONE, {"id": chunk.broadcast_id, "number": chunk.number, "wait": wait})


# The broadcast is locked before its chunks are summed: of two lanes that finish the last two chunks at the same time, the
# second one sees both.
_LOCK = text("SELECT status FROM broadcasts WHERE id = :id AND status = 'EXPANDING' FOR UPDATE")
_CLOSE = text(f"""
WITH done AS (
  UPDATE broadcasts b
     SET status = 'DONE', finished_at = clock_timestamp()
    FROM (SELECT coalesce(sum(size) FILTER (WHERE state = 'published'), 0) AS published
            FROM broadcast_chunks WHERE broadcast_id = :id) s
   WHERE b.id = :id AND b.status = 'EXPANDING' AND s.published = b.total
  RETURNING b.id, b.app_id, b.total
) {insert_broadcast_event("done", AppEventType.BROADCAST_DONE)}
""")  # noqa: S608 (a part of `writing.py`)
_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM broadcast_chunks
                WHERE app_id = (SELECT app_id FROM broadcasts WHERE id = :id)
                  AND broadcast_id = :id AND state IN ('waiting', 'expanded'))
""")


def close_if_done(connection: Connection, broadcast_id: int) -> None:
    """Set the status DONE if all chunks that make up `total` are published; otherwise change nothing."""
    # Most chunks are not the last one, so it is asked without a lock first (index broadcast_chunks_open). If two lanes
    # both see the other's chunk open, the sweep closes the broadcast.
    if connection.execute(_IS_OPEN, {"id": broadcast_id}).scalar_one():
        return
    if connection.execute(_LOCK, {"id": broadcast_id}).first():
        connection.execute(_CLOSE, {"id": broadcast_id})


_UNFINISHED = text("SELECT id FROM broadcasts WHERE status = 'EXPANDING' ORDER BY id")


def list_expanding(connection: Connection) -> list[int]:
    """The ids of broadcasts that are being expanded, ascending (index broadcasts_unfinished)."""
    return list(connection.execute(_UNFINISHED).scalars())


_MESSAGE = text(f"""
SELECT {FIELDS_IN_MESSAGES}, b.origin
  FROM messages m JOIN broadcasts b USING (id) LEFT JOIN apps a ON a.id = m.app_id WHERE m.id = :id
""")  # noqa: S608 (column lists of `message_rows`)


def load_message(connection: Connection, broadcast_id: int) -> PersistedMessage:
    """The message of a broadcast, with its origin."""
    row = connection.execute(_MESSAGE, {"id": broadcast_id}).one()
    return PersistedMessage(read_message(row), row.origin or "")
