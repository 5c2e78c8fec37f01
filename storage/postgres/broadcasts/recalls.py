"""Taking a broadcast back, chunk by chunk, as it was expanded (contract §2, Recall).

`start` is ingest's, the rest the lanes' (workers/broadcasts/recall.py). A chunk is marked in the transaction that
takes its deliveries out, so that `recalled` is a sum over chunks.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import Chunk, ChunkState
from storage.postgres.sends.withdrawals import check_broadcast, withdraw

_MARK = text(
    "UPDATE messages SET recalled_at = clock_timestamp() WHERE id = :id AND recalled_at IS NULL"
)
_START = text("""
UPDATE broadcasts SET status = 'RECALLING' WHERE id = :id AND status NOT IN ('RECALLING', 'RECALLED')
""")


def start_recall(connection: Connection, broadcast_id: int) -> None:
    """Have a broadcast taken back, wherever it is: nothing more is planned or expanded from now on.

    `cancellation.discard_waiting` must follow, in a transaction of its own. Safe to repeat. Raises NotFound if it
    is no broadcast.
    """
    check_broadcast(connection, broadcast_id)
    if not withdraw(connection, broadcast_id):
        connection.execute(_MARK, {"id": broadcast_id})
        connection.execute(_START, {"id": broadcast_id})


# Not a chunk that its lane is still publishing: its people would hear of the recall first.
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
# In the order of every writer, and before anything is looked at: what waits here for a sender or a
# reader sees what they did, in the next statement.
_LOCK = text("""
SELECT count(*) FROM (
  SELECT 1 FROM conversations c JOIN unnest(CAST(:user_ids AS bigint[])) AS u(id) ON c.user_id = u.id
   WHERE c.peer_id = :peer_id ORDER BY c.user_id FOR NO KEY UPDATE OF c) locked
""")
# The last message that is left, along the primary key of `deliveries`, from its newest end.
_TAKE_BACK = text("""
WITH gone AS (
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
    """A chunk that is to be taken back, and where it stands."""

    chunk: Chunk
    state: ChunkState


def take_back_next(connection: Connection, *, lease: timedelta) -> Chunk | None:
    """Take the deliveries of the next chunk out, put counters and last messages right, and mark it.

    Or find one that a lane left without telling of it. None: there is none that nobody has. The event
    is the caller's, for `lease`, after the commit.
    """
    found = find_next_chunk(connection)
    return _take_back(connection, found, lease=lease) if found else None


def take_back_chunk(connection: Connection, chunk: Chunk, *, lease: timedelta) -> Chunk | None:
    """The same for this chunk; None if it is done, or in another's hands."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    found = _recallable(connection.execute(_ONE, parameters).first())
    return _take_back(connection, found, lease=lease) if found else None


def find_next_chunk(connection: Connection) -> RecallableChunk | None:
    """The chunk that `take_back_next` would take: after a failure, to find out which it was."""
    return _recallable(connection.execute(_NEXT).first())


def _recallable(row: Row[Any] | None) -> RecallableChunk | None:
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
    """Note that everyone of a chunk was told, and close the recall if it was the last."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_MARK_RECALLED, parameters)
    close_if_recalled(connection, chunk.broadcast_id)


_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM broadcast_chunks WHERE broadcast_id = :id
                  AND state IN ('waiting', 'expanded', 'published', 'taken_back'))
""")
_CLOSE = text("""
UPDATE broadcasts SET status = 'RECALLED', finished_at = clock_timestamp()
 WHERE id = :id AND status = 'RECALLING'
""")


def close_if_recalled(connection: Connection, broadcast_id: int) -> None:
    """Set RECALLED if nobody has it any more and everyone was told; else change nothing.

    A state that is open never comes back once none is, so nothing needs to be locked; of two lanes
    that finish the last two at once the sweep closes.
    """
    if not connection.execute(_IS_OPEN, {"id": broadcast_id}).scalar_one():
        connection.execute(_CLOSE, {"id": broadcast_id})


_UNFINISHED = text("SELECT id FROM broadcasts WHERE status = 'RECALLING' ORDER BY id")


def list_recalling(connection: Connection) -> list[int]:
    """Broadcasts being taken back, oldest first (index broadcasts_unfinished)."""
    return list(connection.execute(_UNFINISHED).scalars())
