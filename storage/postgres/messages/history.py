"""A person's history: the pages of one conversation, newest message first (contract §4)."""

from typing import Any

from sqlalchemy import Connection, column, text

from storage.model.message import Message, MessageView
from storage.postgres.message_rows import FIELDS_IN_MESSAGES, make_message

# The page is found first, along the primary key of `deliveries` (user_id, peer_id, message_id), then what it shows. For a
# message that the person sent, the other person's delivery tells when it was read; it is found by its primary key.
_HISTORY = f"""
WITH page AS (
  SELECT message_id, read_at FROM deliveries
   WHERE user_id = :user_id AND peer_id = :peer_id {{bound}}
   ORDER BY message_id DESC LIMIT :limit OFFSET :skip
)
SELECT {FIELDS_IN_MESSAGES},
       CASE WHEN :peer_id > 0 AND :peer_id <> :user_id AND m.sender_id = :user_id
            THEN other.read_at ELSE page.read_at END AS seen_at
  FROM page
  JOIN messages m ON m.id = page.message_id
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN deliveries other
    ON :peer_id > 0 AND :peer_id <> :user_id AND m.sender_id = :user_id
   AND other.user_id = :peer_id AND other.peer_id = :user_id AND other.message_id = page.message_id
 ORDER BY m.id DESC
"""  # noqa: S608 (column lists of `message_rows`)
# SQLAlchemy does not have to look at the columns of each page if they are named beforehand.
_HISTORY_COLUMNS: list[Any] = [column(name) for name in (*Message._fields, "seen_at")]
_HISTORY_FROM_TOP = text(_HISTORY.format(bound="")).columns(*_HISTORY_COLUMNS)
_HISTORY_BEFORE = text(_HISTORY.format(bound="AND message_id < :before_id")).columns(
    *_HISTORY_COLUMNS
)


def list_history(
    connection: Connection,
    user_id: int,
    *,
    peer_id: int,
    skip: int = 0,
    limit: int = 50,
    before_id: int | None = None,
) -> list[MessageView]:
    """Up to `limit` messages of a person's conversation, newest first (contract §4).

    `before_id` (None: from the newest) starts behind that message, at the same cost however old it is; `skip` passes
    over so many messages, and reads each of them.
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
    return [MessageView(make_message(message), seen_at) for *message, seen_at in rows.all()]
