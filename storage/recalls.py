"""Taking a message back: out of the histories, counters and last messages put right (contract §2).

Ingest calls `recall` for a message to one receiver; broadcasts are `broadcast_recalls.py`'s.
"""

from sqlalchemy import Connection, text

from storage.messages import find
from storage.model.conversation import Copy, copies
from storage.model.errors import NotFound
from storage.model.message import Message, MessageStatus
from storage.withdrawals import withdraw

_LOCK = text("""
SELECT 1 FROM conversations c
  JOIN unnest(CAST(:user_ids AS bigint[]), CAST(:peer_ids AS bigint[])) AS u(user_id, peer_id)
       USING (user_id, peer_id)
 ORDER BY c.user_id, c.peer_id FOR NO KEY UPDATE OF c
""")
# What the bus has not taken yet it never will.
_MARK = text("""
WITH unsaid AS (DELETE FROM unpublished WHERE message_id = :id)
UPDATE messages SET recalled_at = clock_timestamp() WHERE id = :id AND recalled_at IS NULL
""")
# The last message that is left, along the primary key of `deliveries`, from its newest end.
_TAKE_BACK = text("""
WITH gone AS (
  DELETE FROM deliveries d
   USING unnest(CAST(:user_ids AS bigint[]), CAST(:peer_ids AS bigint[])) AS u(user_id, peer_id)
   WHERE d.user_id = u.user_id AND d.peer_id = u.peer_id AND d.message_id = :id
  RETURNING d.user_id, d.peer_id, d.read_at IS NULL AS was_unread
), now_last AS (
  SELECT gone.*, l.message_id, l.created_at FROM gone LEFT JOIN LATERAL (
    SELECT d.message_id, m.created_at FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.user_id = gone.user_id AND d.peer_id = gone.peer_id AND d.message_id <> :id
     ORDER BY d.message_id DESC LIMIT 1) l ON true
), emptied AS (
  DELETE FROM conversations c USING now_last n
   WHERE c.user_id = n.user_id AND c.peer_id = n.peer_id AND n.message_id IS NULL
)
UPDATE conversations c
   SET unread_count = c.unread_count - n.was_unread::int,
       last_message_id = n.message_id, updated_at = n.created_at
  FROM now_last n
 WHERE c.user_id = n.user_id AND c.peer_id = n.peer_id AND n.message_id IS NOT NULL
""")


def recall(connection: Connection, message: Message) -> tuple[Copy, ...]:
    """Take a message to one receiver back, wherever it is on its way; the copies that were there.

    Safe to repeat (the second time there are none), and against a persist or a read at the same
    time: the conversations' locks are taken first, in the order of every writer.
    """
    parameters = {"id": message.id}
    if withdraw(connection, message.id):
        return ()
    there = copies(message)
    keys = {"user_ids": [c.user_id for c in there], "peer_ids": [c.peer_id for c in there]}
    connection.execute(_LOCK, keys)
    if not connection.execute(_MARK, parameters).rowcount:
        _insist(connection, message.id)
        return ()
    connection.execute(_TAKE_BACK, parameters | keys)
    return there


def _insist(connection: Connection, message_id: int) -> None:
    """Nothing was marked: fine if it was recalled before, else it is not there at all."""
    found = find(connection, message_id)
    if found is None or found.status is not MessageStatus.RECALLED:
        raise NotFound("There is no such message.")
