"""To-dos: a person's messages with a state, of all conversations (contract §8).

They come and go with deliveries, and move with the state, where those are written. How many are open is counted with the unread
messages (`conversations.py`).
"""

from sqlalchemy import Connection, text

from storage.model.message import CardState, MessageView
from storage.postgres.message_rows import (
    FIELDS_IN_MESSAGES,
    make_message,
    receiver_peer_expression,
)

# Along the index todos_user_id_is_open_message_id. `is_open` narrows it down, `messages.state` decides: of a broadcast that
# was changed, its people's rows follow chunk by chunk.
_TODOS = text(f"""
SELECT {FIELDS_IN_MESSAGES}, d.read_at AS seen_at
  FROM todos t
  JOIN messages m ON m.id = t.message_id
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN deliveries d
    ON d.user_id = :user_id AND d.peer_id = {receiver_peer_expression("m")} AND d.message_id = m.id
 WHERE t.user_id = :user_id AND t.is_open = :is_open AND t.message_id < :before_id
   AND m.state = :state AND m.recalled_at IS NULL
 ORDER BY t.message_id DESC LIMIT :limit
""")  # noqa: S608 (column lists, and the peer's rule)
_NO_BOUND = 2**63 - 1


def list_todos(
    connection: Connection,
    user_id: int,
    *,
    state: CardState = CardState.PENDING,
    limit: int,
    before_id: int | None = None,
) -> list[MessageView]:
    """Up to `limit` of a person's to-dos in this state, of all conversations, newest first, before `before_id`."""
    asked = {
        "user_id": user_id,
        "is_open": state is CardState.PENDING,
        "state": state,
        "limit": limit,
        "before_id": _NO_BOUND if before_id is None else before_id,
    }
    rows = connection.execute(_TODOS, asked)
    return [MessageView(make_message(message), seen_at) for *message, seen_at in rows]
