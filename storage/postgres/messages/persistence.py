"""Persisting: accepted sends become messages, with their deliveries and unread counters, in one statement.

Called by the holder of the persist lane only (`workers/persist.py`), so that a conversation stays in order.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from storage.model.message import Message
from storage.postgres.database import array, execute_raw
from storage.postgres.message_rows import CONTENT_TYPES, TYPES

# One statement for the whole batch. Who has which copy is `model.conversation.copies`, in SQL.
# Counters move by exactly the rows that go in; a conversation that appears ten times is updated once;
# (user_id, peer_id) order keeps two writers from deadlocking (docs/decisions/0006-counters-move-with-rows.md).
_PERSIST = """
WITH batch AS (
  DELETE FROM accepted WHERE id = ANY(CAST(%(ids)s AS bigint[])) RETURNING *
), new_messages AS (
  INSERT INTO messages (id, sender_id, receiver_id, app_id, sent_by_app_id, type, content_type,
                        title, content, action_url, action_text, is_broadcast, created_at, filename)
  SELECT id, sender_id, receiver_id, app_id, sent_by_app_id, type, content_type,
         title, content, action_url, action_text, is_broadcast, created_at, filename
    FROM batch
), new_broadcasts AS (
  INSERT INTO broadcasts (id, app_id, audience, unresolved, created_at, accepted_at, origin)
  SELECT id, sent_by_app_id, audience, unresolved, created_at, coalesce(accepted_at, created_at), origin
    FROM batch WHERE is_broadcast
), singles AS (
  SELECT id, sender_id, receiver_id, app_id, created_at,
         type = 'MESSAGE' AND sender_id IS NOT NULL AS is_personal
    FROM batch WHERE NOT is_broadcast
), copies AS (
  SELECT receiver_id AS user_id,
         CASE WHEN is_personal THEN sender_id ELSE -coalesce(app_id, 0) END AS peer_id,
         id, created_at,
         CASE WHEN is_personal AND sender_id = receiver_id THEN created_at END AS read_at
    FROM singles
   UNION ALL
  SELECT sender_id, receiver_id, id, created_at, created_at
    FROM singles WHERE is_personal AND sender_id <> receiver_id
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id, read_at)
  SELECT user_id, peer_id, id, read_at FROM copies
), counters AS (
  INSERT INTO conversations AS c (user_id, peer_id, unread_count, last_message_id, updated_at)
  SELECT user_id, peer_id, count(*) FILTER (WHERE read_at IS NULL), max(id), max(created_at)
    FROM copies GROUP BY user_id, peer_id ORDER BY user_id, peer_id
  ON CONFLICT (user_id, peer_id) DO UPDATE
     SET unread_count = c.unread_count + excluded.unread_count,
         last_message_id = greatest(c.last_message_id, excluded.last_message_id),
         updated_at = greatest(c.updated_at, excluded.updated_at)
)
-- The fields of Message, in their order, and where it comes from.
SELECT id, sender_id, receiver_id, app_id, app_name, sent_by_app_id, type, content_type, title,
       content, action_url, action_text, is_broadcast, created_at, filename, origin
  FROM batch ORDER BY id
"""


class PersistedMessage(NamedTuple):
    """A message that is in the histories now; `origin`: text of a `model.origin.Origin`, "" if unknown."""

    message: Message
    origin: str = ""


def persist(connection: Connection, ids: Sequence[int]) -> list[PersistedMessage]:
    """Put accepted sends into the histories of their people, or broadcasts into `broadcasts`.

    Returns them in id order. All or nothing, in the caller's transaction; ids that are
    persisted already, or gone (recalled before delivery), are passed over, so it is safe to repeat.
    """
    # By place, not by name, which takes longer, for every message there is.
    return [_by_place(row) for row in execute_raw(connection, _PERSIST, {"ids": array(ids)})]


def _by_place(row: Sequence[Any]) -> PersistedMessage:
    fields: list[Any] = [*row[:6], TYPES[row[6]], CONTENT_TYPES[row[7]], *row[8:-1]]
    return PersistedMessage(Message(*fields), row[-1] or "")
