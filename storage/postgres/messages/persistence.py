"""Persisting: accepted sends become messages, with their deliveries and unread counters, in one statement.

Only the holder of the persist lane calls it (`workers/persist.py`), so that a conversation stays in order
(docs/decisions/0003-one-persist-lane.md).
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from storage.model.message import PersistedMessage
from storage.postgres.message_rows import (
    COLUMNS_OF_MESSAGES,
    FIELDS_IN_ACCEPTED,
    REQUEST_ID,
    make_message,
    personal_condition,
    receiver_peer_expression,
)
from storage.postgres.raw_statements import array_literal, execute_raw

# One statement for the whole batch. Who gets which copy is what `model.conversation.make_deliveries` says. Counters move by the
# rows that go in; a conversation that appears ten times is updated once; the order by (user_id, peer_id) keeps two
# writers from a deadlock (docs/decisions/0006-counters-move-with-rows.md).
_PERSIST = f"""
WITH batch AS (
  DELETE FROM accepted WHERE id = ANY(CAST(%(ids)s AS bigint[])) RETURNING *
), new_messages AS (
  INSERT INTO messages ({COLUMNS_OF_MESSAGES}, request_id)
  SELECT {COLUMNS_OF_MESSAGES}, {REQUEST_ID} FROM batch
), new_broadcasts AS (
  INSERT INTO broadcasts (id, app_id, audience, unresolved, created_at, accepted_at, origin)
  SELECT id, sent_by_app_id, audience, unresolved, created_at, coalesce(accepted_at, created_at), origin
    FROM batch WHERE is_broadcast
), singles AS (
  SELECT id, sender_id, receiver_id, created_at, {personal_condition("batch")} AS is_personal,
         {receiver_peer_expression("batch")} AS receiver_peer_id
    FROM batch WHERE NOT is_broadcast
), copies AS (
  SELECT receiver_id AS user_id, receiver_peer_id AS peer_id, id, created_at,
         CASE WHEN is_personal AND sender_id = receiver_id THEN created_at END AS read_at
    FROM singles
   UNION ALL
  SELECT sender_id, receiver_id, id, created_at, created_at
    FROM singles WHERE is_personal AND sender_id <> receiver_id
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id, read_at)
  SELECT user_id, peer_id, id, read_at FROM copies
), new_todos AS (
  INSERT INTO todos (message_id, user_id, is_open)
  SELECT id, receiver_id, state = 'PENDING' FROM batch WHERE state IS NOT NULL AND NOT is_broadcast
), counters AS (
  INSERT INTO conversations AS c (user_id, peer_id, unread_count, last_message_id, updated_at)
  SELECT user_id, peer_id, count(*) FILTER (WHERE read_at IS NULL), max(id), max(created_at)
    FROM copies GROUP BY user_id, peer_id ORDER BY user_id, peer_id
  ON CONFLICT (user_id, peer_id) DO UPDATE
     SET unread_count = c.unread_count + excluded.unread_count,
         last_message_id = greatest(c.last_message_id, excluded.last_message_id),
         updated_at = greatest(c.updated_at, excluded.updated_at)
)
SELECT {FIELDS_IN_ACCEPTED}, origin FROM batch ORDER BY id
"""  # noqa: S608 (column lists of `message_rows`)


def persist(connection: Connection, ids: Sequence[int]) -> list[PersistedMessage]:
    """Move accepted sends into the histories of their people, and broadcasts into `broadcasts`.

    Returns the messages in the order of their ids. One statement: all or nothing. Ids that are no longer in `accepted`
    (persisted already, or recalled) are passed over, so it is safe to repeat.
    """
    rows = execute_raw(connection, _PERSIST, {"ids": array_literal(ids)})
    return [PersistedMessage(make_message(message), origin or "") for *message, origin in rows]
