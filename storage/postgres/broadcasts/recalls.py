"""Recalling a broadcast: it is taken back chunk by chunk, as it was expanded (contract §2, Recall).

Ingest and `carillon broadcasts` call `start_recall`, the broadcast lanes the rest (`workers/broadcasts/recall.py`). A
chunk is marked in the transaction that deletes its deliveries, so that progress is a sum over chunks.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.app_event import AppEventType
from storage.model.broadcast import Chunk, ChunkState
from storage.postgres.app_events.writing import insert_broadcast_event
from storage.postgres.sends.withdrawals import check_broadcast, withdraw

_MARK = text(
    "UPDATE messages SET recalled_at = clock_timestamp() WHERE id = :id AND recalled_at IS NULL"
)
_START = text("""
UPDATE broadcasts SET status = 'RECALLING' WHERE id = :id AND status NOT IN ('RECALLING', 'RECALLED')
""")


def start_recall(connection: Connection, broadcast_id: int) -> None:
    """Begin to take a broadcast back, at whatever stage it is: nothing more of it is planned or expanded.

    `cancellation.discard_waiting` must follow, in a transaction of its own. Safe to repeat. Raises NotFound if
    `broadcast_id` is no broadcast.
    """
    check_broadcast(connection, broadcast_id)
    if not withdraw(connection, broadcast_id):
        connection.execute(_MARK, {"id": broadcast_id})
        connection.execute(_START, {"id": broadcast_id})


# Not a chunk that a lane is still publishing: its people would be told of the recall before the message.
_NEXT = text("""
SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, c.state
  FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
 WHERE b.status = 'RECALLING' AND c.state IN ('published', 'expanded', 'taken_back')
   AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
 ORDER BY c.number, c.broadcast_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")
_ONE = text("""
SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, c.state FROM broadcast_chunks c
 WHERE c.broadcast_id = :id AND c.number = :number
   AND c.state IN ('published', 'expanded', 'taken_back') FOR UPDATE SKIP LOCKED
""")
# In the order in which all writers lock. The next statement then sees what was committed while this one waited.
_LOCK = text("""
SELECT count(*) FROM (
  SELECT 1 FROM conversations c JOIN unnest(CAST(:user_ids AS bigint[])) AS u(id) ON c.user_id = u.id
   WHERE c.peer_id = :peer_id ORDER BY c.user_id FOR NO KEY UPDATE OF c) locked
""")
# What is the last message of a conversation now is found along the primary key of `deliveries`, newest first.
_TAKE_BACK = text("""
WITH no_todos AS (
  DELETE FROM todos WHERE message_id = :id AND user_id = ANY(CAST(:user_ids AS bigint[]))
), gone AS (
  DELETE FROM deliveries d USING unnest(CAST(:user_ids AS bigint[])) AS u(id)
   WHERE d.user_id = u.id AND d.peer_id = :peer_id AND d.message_id = :id
  RETURNING d.user_id, d.read_at IS NULL AS was_unread
), touched AS (
  SELECT gone.*, c.last_message_id = :id AS was_last FROM gone
    JOIN conversations c ON c.user_id = gone.user_id AND c.peer_id = :peer_id
), now_last AS (
  SELECT t.*, l.message_id, l.created_at FROM touched t LEFT JOIN LATERAL (
    SELECT d.message_id, m.created_at FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE t.was_last AND d.user_id = t.user_id AND d.peer_id = :peer_id AND d.message_id < :id
     ORDER BY d.message_id DESC LIMIT 1) l ON true
), emptied AS (
  DELETE FROM conversations c USING now_last n
   WHERE n.was_last AND n.message_id IS NULL AND c.user_id = n.user_id AND c.peer_id = :peer_id
)
UPDATE conversations c
   SET unread_count = c.unread_count - n.was_unread::int,
       last_message_id = coalesce(n.message_id, c.last_message_id),
       updated_at = coalesce(n.created_at, c.updated_at)
  FROM now_last n
 WHERE c.user_id = n.user_id AND c.peer_id = :peer_id
   AND (n.message_id IS NOT NULL OR NOT n.was_last)
""")
_MARK_TAKEN_BACK = text("""
UPDATE broadcast_chunks SET state = 'taken_back', lease_until = clock_timestamp() + :lease
 WHERE broadcast_id = :id AND number = :number
""")


@dataclass(frozen=True, slots=True)
class RecallableChunk:
    """A chunk that is to be taken back, and the state it is in."""

    chunk: Chunk
    state: ChunkState


def take_back_next(connection: Connection, *, lease: timedelta) -> Chunk | None:
    """Take the next chunk back; None if there is none that no lane has.

    Its deliveries are deleted, counters and last messages put right and the chunk marked, in the caller's transaction. A
    chunk that a lane took back without telling its people is returned as well. After the commit the caller has `lease`
    to publish the event.
    """
    found = find_next_chunk(connection)
    return _take_back(connection, found, lease=lease) if found else None


def take_back_chunk(connection: Connection, chunk: Chunk, *, lease: timedelta) -> Chunk | None:
    """Take this chunk back, as `take_back_next` does; None if that is done, or another lane has locked it."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    found = _read_recallable(connection.execute(_ONE, parameters).first())
    return _take_back(connection, found, lease=lease) if found else None


def find_next_chunk(connection: Connection) -> RecallableChunk | None:
    """Lock and return the chunk that `take_back_next` would take; None if there is none.

    After a failure, to find out which chunk failed.
    """
    return _read_recallable(connection.execute(_NEXT).first())


def _read_recallable(row: Row[Any] | None) -> RecallableChunk | None:
    if row is None:
        return None
    chunk = Chunk(row.broadcast_id, row.number, row.app_id, tuple(row.user_ids))
    return RecallableChunk(chunk, ChunkState(row.state))


def _take_back(connection: Connection, found: RecallableChunk, *, lease: timedelta) -> Chunk:
    chunk = found.chunk
    if found.state is not ChunkState.TAKEN_BACK:
        ids = list(chunk.user_ids)
        keys = {"id": chunk.broadcast_id, "peer_id": -chunk.app_id, "user_ids": ids}
        connection.execute(_LOCK, {"peer_id": keys["peer_id"], "user_ids": ids})
        connection.execute(_TAKE_BACK, keys)
    parameters = {"id": chunk.broadcast_id, "number": chunk.number, "lease": lease}
    connection.execute(_MARK_TAKEN_BACK, parameters)
    return chunk


_MARK_RECALLED = text("""
UPDATE broadcast_chunks SET state = 'recalled', error = NULL, lease_until = NULL
 WHERE broadcast_id = :id AND number = :number AND state = 'taken_back'
""")


def mark_recalled(connection: Connection, chunk: Chunk) -> None:
    """Note that the people of a chunk were told, and close the recall if it was the last chunk."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_MARK_RECALLED, parameters)
    close_if_recalled(connection, chunk.broadcast_id)


_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM broadcast_chunks WHERE broadcast_id = :id
                  AND state IN ('waiting', 'expanded', 'published', 'taken_back'))
""")
_CLOSE = text(f"""
WITH recalled AS (
  UPDATE broadcasts SET status = 'RECALLED', finished_at = clock_timestamp()
   WHERE id = :id AND status = 'RECALLING'
  RETURNING id, app_id, total
) {insert_broadcast_event("recalled", AppEventType.BROADCAST_RECALLED)}
""")  # noqa: S608 (a part of `writing.py`)


def close_if_recalled(connection: Connection, broadcast_id: int) -> None:
    """Set the status RECALLED if nobody has the broadcast any more and everyone was told; otherwise change nothing.

    Nothing needs a lock, because chunks that are done stay done. If two lanes finish the last two chunks at the same
    time, the sweep calls this again.
    """
    if not connection.execute(_IS_OPEN, {"id": broadcast_id}).scalar_one():
        connection.execute(_CLOSE, {"id": broadcast_id})


_UNFINISHED = text("SELECT id FROM broadcasts WHERE status = 'RECALLING' ORDER BY id")


def list_recalling(connection: Connection) -> list[int]:
    """The ids of broadcasts that are being taken back, ascending (index broadcasts_unfinished)."""
    return list(connection.execute(_UNFINISHED).scalars())
