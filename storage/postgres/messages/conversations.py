"""Conversation lists and their unread counters.

Counters move only with rows, by as many as moved (docs/decisions/0006-counters-move-with-rows.md): reading
takes the conversations' locks first, in (user_id, peer_id) order, and then counts what it marked, all in one statement.
"""

from sqlalchemy import Connection, Row, text

from storage.model.conversation import (
    SYSTEM_NAME,
    SYSTEM_PEER,
    SYSTEM_USERNAME,
    Conversation,
)
from storage.postgres import outbox
from storage.postgres.message_rows import CONTENT_TYPES

# The newest, without a page being asked for (contract §4): somebody may have one with everybody.
LISTED = 1_000
# By the primary key's prefix; everything joined is by primary key, of those that are listed only.
_LISTING = text("""
SELECT c.peer_id, c.unread_count, c.updated_at,
       coalesce(u.mobile, a.app_id) AS peer_username, coalesce(u.name, a.name) AS peer_name,
       m.content_type, left(m.content, 200) AS content
  FROM (SELECT * FROM conversations WHERE user_id = :user_id AND last_message_id > 0
         ORDER BY updated_at DESC, last_message_id DESC LIMIT :listed) c
  LEFT JOIN users u ON c.peer_id > 0 AND u.id = c.peer_id
  LEFT JOIN apps a ON c.peer_id < 0 AND a.id = -c.peer_id
  LEFT JOIN messages m ON m.id = c.last_message_id AND m.recalled_at IS NULL
 ORDER BY c.updated_at DESC, c.last_message_id DESC
""")


def list_conversations(connection: Connection, user_id: int) -> list[Conversation]:
    """A person's conversations, newest first, LISTED at most (contract §4)."""
    asked = {"user_id": user_id, "listed": LISTED}
    return [_conversation(row) for row in connection.execute(_LISTING, asked)]


def _conversation(row: Row[tuple[object, ...]]) -> Conversation:
    is_system = row.peer_id == SYSTEM_PEER
    return Conversation(
        peer_id=row.peer_id,
        peer_username=SYSTEM_USERNAME if is_system else row.peer_username or "",
        peer_name=SYSTEM_NAME if is_system else row.peer_name or "",
        unread_count=row.unread_count,
        last_content_type=row.content_type and CONTENT_TYPES[row.content_type],
        last_content=row.content,
        updated_at=row.updated_at,
    )


_UNREAD_TOTAL = text(
    "SELECT coalesce(sum(unread_count), 0) FROM conversations WHERE user_id = :user_id"
)


def count_unread(connection: Connection, user_id: int) -> int:
    """How many messages a person has not read, over all conversations."""
    return int(connection.execute(_UNREAD_TOTAL, {"user_id": user_id}).scalar_one())


# One statement, so that nobody's locks wait for whoever asked (a process may hang between two). Locks are taken
# in key order and all of them before any delivery is touched (`array_agg` needs them all), as persist and expand
# do. What the statement sees is as old as its beginning: what came while it waited for a lock stays unread, what
# another device read meanwhile is not counted again (READ COMMITTED looks at a changed row once more), and counters
# move by as many as were marked. Unread deliveries are found newest first along the primary key; the search ends
# with the last one that was counted.
_READ = """
WITH locked AS (
  SELECT peer_id FROM conversations WHERE user_id = :user_id AND unread_count > 0 {one}
   ORDER BY peer_id FOR NO KEY UPDATE
), unread AS (
  SELECT c.peer_id, d.message_id
    FROM (SELECT array_agg(peer_id) AS peer_ids FROM locked) l
    JOIN conversations c ON c.user_id = :user_id AND c.peer_id = ANY(l.peer_ids)
   CROSS JOIN LATERAL (
     SELECT message_id FROM deliveries
      WHERE user_id = :user_id AND peer_id = c.peer_id AND read_at IS NULL
        AND message_id <= :up_to_id
      ORDER BY message_id DESC LIMIT c.unread_count) d
), marked AS (
  UPDATE deliveries d SET read_at = clock_timestamp() FROM unread
   WHERE d.user_id = :user_id AND d.peer_id = unread.peer_id
     AND d.message_id = unread.message_id AND d.read_at IS NULL
  RETURNING d.peer_id, d.message_id
), sums AS (
  SELECT peer_id, count(*) AS marked, max(message_id) AS up_to_id FROM marked GROUP BY peer_id
), moved AS (
  UPDATE conversations c SET unread_count = c.unread_count - sums.marked FROM sums
   WHERE c.user_id = :user_id AND c.peer_id = sums.peer_id
  RETURNING c.peer_id, sums.marked, sums.up_to_id, c.unread_count
), told AS (
  INSERT INTO outbox (event) SELECT {event} FROM moved {having}
)
SELECT coalesce(sum(marked), 0) FROM moved
"""
_READ_ONE = text(
    _READ.format(
        one="AND peer_id = :peer_id",
        event=outbox.READ.format(
            user_id="CAST(:user_id AS bigint)",
            peer_id="peer_id",
            up_to_id="up_to_id",
            unread="unread_count",
        ),
        having="",
    )
)
_READ_ALL = text(
    _READ.format(
        one="",
        event=outbox.ALL_READ.format(
            user_id="CAST(:user_id AS bigint)", up_to_id="max(up_to_id)", unread="sum(unread_count)"
        ),
        having="HAVING count(*) > 0",
    )
)
_NO_BOUND = 2**63 - 1


def mark_all_read(connection: Connection, user_id: int) -> int:
    """Mark everything a person has as read; how many. The person's devices are told by the outbox."""
    parameters = {"user_id": user_id, "up_to_id": _NO_BOUND}
    return int(connection.execute(_READ_ALL, parameters).scalar_one())


def mark_read(
    connection: Connection, user_id: int, *, peer_id: int, up_to_id: int | None = None
) -> int:
    """Mark one conversation as read, up to and with `up_to_id` (None: all of it); how many.

    The person's devices are told by the outbox. Safe to repeat: a second time it is 0.
    """
    bound = _NO_BOUND if up_to_id is None else up_to_id
    parameters = {"user_id": user_id, "peer_id": peer_id, "up_to_id": bound}
    return int(connection.execute(_READ_ONE, parameters).scalar_one())
