"""A person's history: the pages of one conversation, newest message first (docs/contract.md §4)."""

from typing import Any

from sqlalchemy import Connection, column, text

from storage.model.message import Message, MessageView
from storage.postgres.message_rows import FIELDS_IN_MESSAGES, make_message

# The page first, along the primary key of `deliveries` (user_id, peer_id, message_id), then what it
# shows; the other side's delivery, by its own primary key, tells whether a message I sent was read.
_HISTORY = f"""
WITH page AS (
  SELECT message_id, read_at FROM deliveries
   WHERE user_id = :user_id AND peer_id = :peer_id {{bound}}
   ORDER BY message_id DESC LIMIT :limit OFFSET :skip
)
SELECT {FIELDS_IN_MESSAGES},
       CASE WHEN other.message_id IS NULL THEN page.read_at ELSE other.read_at END AS seen_at
  FROM page
  JOIN messages m ON m.id = page.message_id
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN deliveries other
    ON :peer_id > 0 AND :peer_id <> :user_id AND m.sender_id = :user_id
   AND other.user_id = :peer_id AND other.peer_id = :user_id AND other.message_id = page.message_id
 ORDER BY m.id DESC
"""  # noqa: S608 (column lists of `message_rows`)
# With its columns named beforehand, SQLAlchemy need not look at them for every page.
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
    return [MessageView(make_message(message), seen_at) for *message, seen_at in rows.all()]
