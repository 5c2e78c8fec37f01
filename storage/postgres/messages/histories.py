"""Messages in the histories: how they get there (`persist`) and how they are read.

`persist` is called by the holder of the persist lane only, so that a conversation stays in order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, column, text

from storage.model.broadcast import BroadcastStatus
from storage.model.message import Message, MessageStatus, MessageView
from storage.postgres.database import array, execute_raw
from storage.postgres.message_rows import CONTENT_TYPES, TYPES, read_message

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


class Persisted(NamedTuple):
    """A message that is in the histories now; `origin`: text of a `model.origin.Origin`, "" if unknown."""

    message: Message
    origin: str = ""


def persist(connection: Connection, ids: Sequence[int]) -> list[Persisted]:
    """Put accepted sends into the histories of their people, or broadcasts into `broadcasts`.

    Returns them in id order. All or nothing, in the caller's transaction; ids that are
    persisted already, or gone (recalled before delivery), are passed over, so it is safe to repeat.
    """
    # By place, not by name, which takes longer, for every message there is.
    return [_by_place(row) for row in execute_raw(connection, _PERSIST, {"ids": array(ids)})]


def _by_place(row: Sequence[Any]) -> Persisted:
    fields: list[Any] = [*row[:6], TYPES[row[6]], CONTENT_TYPES[row[7]], *row[8:-1]]
    return Persisted(Message(*fields), row[-1] or "")


# The fields of a Message in its own order: a row is taken apart by place, which costs less than by
# name; there are fifty on a page.
_IN_ORDER = ", ".join("a.name" if name == "app_name" else f"m.{name}" for name in Message._fields)
_TYPE, _CONTENT_TYPE = map(Message._fields.index, ("type", "content_type"))
# The page first, along the primary key of `deliveries` (user_id, peer_id, message_id), then what it
# shows; the other side's delivery, by its own primary key, tells whether a message I sent was read.
_HISTORY = f"""
WITH page AS (
  SELECT message_id, read_at FROM deliveries
   WHERE user_id = :user_id AND peer_id = :peer_id {{bound}}
   ORDER BY message_id DESC LIMIT :limit OFFSET :skip
)
SELECT {_IN_ORDER},
       CASE WHEN other.message_id IS NULL THEN page.read_at ELSE other.read_at END AS seen_at
  FROM page
  JOIN messages m ON m.id = page.message_id
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN deliveries other
    ON :peer_id > 0 AND :peer_id <> :user_id AND m.sender_id = :user_id
   AND other.user_id = :peer_id AND other.peer_id = :user_id AND other.message_id = page.message_id
 ORDER BY m.id DESC
"""  # noqa: S608 (the columns are the fields of Message)
# With its columns named beforehand, SQLAlchemy need not look at them for every page.
_HISTORY_COLUMNS: list[Any] = [column(name) for name in (*Message._fields, "seen_at")]
_HISTORY_FROM_TOP = text(_HISTORY.format(bound="")).columns(*_HISTORY_COLUMNS)
_HISTORY_BEFORE = text(_HISTORY.format(bound="AND message_id < :before_id")).columns(
    *_HISTORY_COLUMNS
)


def history(
    connection: Connection,
    user_id: int,
    *,
    peer_id: int,
    skip: int = 0,
    limit: int = 50,
    before_id: int | None = None,
) -> list[MessageView]:
    """A page of a person's conversation, newest first (contract §4).

    `before_id` pages by key, at the same cost however deep; `skip` counts through what it skips.
    """
    rows = connection.execute(
        _HISTORY_FROM_TOP if before_id is None else _HISTORY_BEFORE,
        {
            "user_id": user_id,
            "peer_id": peer_id,
            "skip": skip,
            "limit": limit,
            "before_id": before_id,
        },
    )
    return [_view(*row) for row in rows.all()]


def _view(*row: Any) -> MessageView:
    """A row of _IN_ORDER and when it was read."""
    *values, seen_at = row
    values[_TYPE] = TYPES[values[_TYPE]]
    values[_CONTENT_TYPE] = CONTENT_TYPES[values[_CONTENT_TYPE]]
    return MessageView(Message(*values), seen_at)


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message wherever it is on its way; `read_at` is the one receiver's.

    `is_held`: it is due, and its app is disabled.
    """

    message: Message
    status: MessageStatus
    read_at: datetime | None
    is_held: bool = False


_WAITING = text("""
SELECT *, is_scheduled AND created_at > clock_timestamp() AS is_ahead FROM accepted WHERE id = :id
""")
_DELIVERED = text("""
SELECT m.*, a.name AS app_name, d.read_at, b.status AS broadcast_status
  FROM messages m
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN broadcasts b ON m.is_broadcast AND b.id = m.id
  LEFT JOIN deliveries d
    ON d.message_id = m.id AND d.user_id = m.receiver_id
   AND d.peer_id = CASE WHEN m.type = 'MESSAGE' AND m.sender_id IS NOT NULL
                        THEN m.sender_id ELSE -coalesce(m.app_id, 0) END
 WHERE m.id = :id
""")
_HELD = text("""
SELECT (jsonb_populate_record(NULL::accepted, payload)).* FROM held_sends WHERE id = :id
""")
_FAILED = text("""
SELECT (jsonb_populate_record(NULL::accepted, payload)).* FROM failed_sends WHERE id = :id
""")


def find(connection: Connection, message_id: int) -> FoundMessage | None:
    """A message by its id, accepted, held, delivered, failed or recalled; who may see it is not asked here.

    Looks along its way (accepted, then messages), so that one that moves meanwhile is still found.
    """
    if row := connection.execute(_WAITING, {"id": message_id}).first():
        status = MessageStatus.SCHEDULED if row.is_ahead else MessageStatus.ACCEPTED
        return FoundMessage(read_message(row), status, None)
    if row := connection.execute(_DELIVERED, {"id": message_id}).first():
        return FoundMessage(read_message(row), _status(row), row.read_at)
    if row := connection.execute(_HELD, {"id": message_id}).first():
        return FoundMessage(read_message(row), MessageStatus.SCHEDULED, None, is_held=True)
    if row := connection.execute(_FAILED, {"id": message_id}).first():
        return FoundMessage(read_message(row), MessageStatus.FAILED, None)
    return None


# As the report says, in the words of a message (contract §2): nobody is to take it for delivered before
# everyone has it.
_OF_BROADCAST = {
    BroadcastStatus.DONE: MessageStatus.DELIVERED,
    BroadcastStatus.CANCELLED: MessageStatus.CANCELLED,
    BroadcastStatus.FAILED: MessageStatus.FAILED,
    BroadcastStatus.RECALLING: MessageStatus.RECALLED,
    BroadcastStatus.RECALLED: MessageStatus.RECALLED,
}


def _status(row: Row[Any]) -> MessageStatus:
    if row.broadcast_status is not None:
        return _OF_BROADCAST.get(BroadcastStatus(row.broadcast_status), MessageStatus.ACCEPTED)
    return MessageStatus.RECALLED if row.recalled_at else MessageStatus.DELIVERED


_RECEIVED = text("""
SELECT m.*, a.name AS app_name FROM messages m LEFT JOIN apps a ON a.id = m.app_id
 WHERE m.id = :id AND EXISTS (
   SELECT 1 FROM deliveries d
    WHERE d.user_id = :user_id AND d.message_id = m.id
      AND d.peer_id = CASE WHEN m.type = 'MESSAGE' AND m.sender_id IS NOT NULL
                           THEN m.sender_id ELSE -coalesce(m.app_id, 0) END)
""")


def received_by(connection: Connection, message_id: int, *, user_id: int) -> Message | None:
    """A message of which `user_id` has a received copy; None otherwise, also for its sender.

    By the primary keys of `messages` and `deliveries`.
    """
    row = connection.execute(_RECEIVED, {"id": message_id, "user_id": user_id}).first()
    return read_message(row) if row else None


_IN_HISTORIES = text("""
SELECT id FROM messages WHERE id = ANY(CAST(:ids AS bigint[])) AND recalled_at IS NULL
""")


def in_histories(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of `ids` that were persisted and not taken back; by the primary key."""
    return set(connection.execute(_IN_HISTORIES, {"ids": list(ids)}).scalars())


_ADD_MONTHS = text("SELECT add_message_months(:ahead)")


def add_months(connection: Connection, ahead: int) -> int:
    """Make this month's partitions and those of the next `ahead` months; how many were missing."""
    return int(connection.execute(_ADD_MONTHS, {"ahead": ahead}).scalar_one())
