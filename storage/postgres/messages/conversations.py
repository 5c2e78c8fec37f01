"""Conversations: a person's list, the number of unread messages, and marking messages as read.

Unread counters move only with rows, by as many as moved (docs/decisions/0006-counters-move-with-rows.md). They rise in
`persistence.py` and `broadcasts/expansion.py`, and fall here, with recalls and with retention.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, text

from storage.model.conversation import (
    PREVIEW_LENGTH,
    SYSTEM_NAME,
    SYSTEM_PEER,
    SYSTEM_USERNAME,
    Conversation,
    ConversationCursor,
    ConversationKey,
    ConversationPage,
)
from storage.postgres import outbox
from storage.postgres.app_events.writing import INSERT_READS
from storage.postgres.message_rows import CONTENT_TYPES

# Of a list without pages (contract §4): somebody may have a conversation with everybody.
LISTED = 1_000
_NO_BOUND = 2**63 - 1
_EVER, _FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# Along the prefix of the primary key: all that a person has are read and sorted, because an index by `updated_at`
# would cost every message more than this costs the few who have very many
# (docs/decisions/0037-pages-of-conversations.md). What is joined is found by primary key, for the listed ones only.
_LIST_ANY = f"""
SELECT c.peer_id, c.unread_count, c.updated_at, c.last_message_id,
       coalesce(u.mobile, a.app_id) AS peer_username, coalesce(u.name, a.name) AS peer_name,
       m.content_type, left(m.content, {PREVIEW_LENGTH}) AS content
  FROM (SELECT * FROM conversations WHERE user_id = :user_id AND last_message_id > 0 {{bounds}}
         ORDER BY updated_at DESC, last_message_id DESC LIMIT :listed) c
  LEFT JOIN users u ON c.peer_id > 0 AND u.id = c.peer_id
  LEFT JOIN apps a ON c.peer_id < 0 AND a.id = -c.peer_id
  LEFT JOIN messages m ON m.id = c.last_message_id AND m.recalled_at IS NULL
 ORDER BY c.updated_at DESC, c.last_message_id DESC
"""  # noqa: S608 (a number)
_LIST = text(_LIST_ANY.format(bounds=""))
_LIST_PAGE = text(
    _LIST_ANY.format(
        bounds="""AND updated_at >= CAST(:down_to AS timestamptz)
           AND (updated_at, last_message_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS bigint))"""
    )
)


def list_conversations(connection: Connection, user_id: int) -> list[Conversation]:
    """A person's conversations, newest first; the newest LISTED if there are more (contract §4)."""
    asked = {"user_id": user_id, "listed": LISTED}
    return [_read_row(row) for row in connection.execute(_LIST, asked)]


# A message comes into its conversation with the instant at which it was accepted: so what moves from now on may have
# that of the oldest unfinished broadcast, or of the oldest send that is not persisted. By the index
# broadcasts_unfinished and by primary key.
_BEGIN_PASS = text("""
SELECT CASE WHEN :is_first THEN least(
    clock_timestamp(),
    (SELECT created_at FROM accepted ORDER BY id LIMIT 1),
    (SELECT created_at FROM broadcasts WHERE status IN ('PENDING', 'EXPANDING')
      ORDER BY id LIMIT 1))
  ELSE clock_timestamp() END
""")
_HAS_MOVED = text("""
SELECT EXISTS (SELECT FROM conversations
                WHERE user_id = :user_id AND last_message_id > 0 AND updated_at >= :begun_at)
""")


def list_page(
    connection: Connection, user_id: int, *, limit: int, cursor: ConversationCursor | None = None
) -> ConversationPage:
    """Up to `limit` of a person's conversations, newest first, from the newest or from where `cursor` goes on.

    Who follows `next` to the end is shown every conversation that there was at the beginning, whatever moves up
    meanwhile. One that moved may be shown again, behind those that did not.
    """
    at = cursor or ConversationCursor()
    begun_at = at.begun_at or _begin_pass(connection, is_first=at.down_to is None)
    before = at.before or ConversationKey(_FOREVER, _NO_BOUND)
    asked = {
        "user_id": user_id,
        "listed": limit + 1,
        "down_to": at.down_to or _EVER,
        "before_at": before.updated_at,
        "before_id": before.last_message_id,
    }
    rows = connection.execute(_LIST_PAGE, asked).all()
    shown = [_read_row(row) for row in rows[:limit]]
    if len(rows) > limit:
        last = ConversationKey(rows[limit - 1].updated_at, rows[limit - 1].last_message_id)
        return ConversationPage(shown, ConversationCursor(last, at.down_to, begun_at))
    # A pass of one page saw everything at one instant.
    if at.before is None or not _has_moved(connection, user_id, since=begun_at):
        return ConversationPage(shown, None)
    return ConversationPage(shown, ConversationCursor(down_to=begun_at))


def _begin_pass(connection: Connection, *, is_first: bool) -> datetime:
    # Only the first reaches back: the passes would never end while an old broadcast is held.
    begun_at: datetime = connection.execute(_BEGIN_PASS, {"is_first": is_first}).scalar_one()
    return begun_at


def _has_moved(connection: Connection, user_id: int, *, since: datetime) -> bool:
    asked = {"user_id": user_id, "begun_at": since}
    return bool(connection.execute(_HAS_MOVED, asked).scalar_one())


def _read_row(row: Row[tuple[object, ...]]) -> Conversation:
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


# By the prefix of the primary key, and along the index todos_user_id_is_open_message_id.
_COUNT_UNREAD = text("""
SELECT (SELECT coalesce(sum(unread_count), 0) FROM conversations WHERE user_id = :user_id),
       (SELECT count(*) FROM todos WHERE user_id = :user_id AND is_open)
""")


class UnreadCounts(NamedTuple):
    """How many messages a person has not read, in all conversations together, and how many to-dos are pending."""

    messages: int
    todos: int


def count_unread(connection: Connection, user_id: int) -> UnreadCounts:
    """What a person has not read and not done."""
    unread, todos = connection.execute(_COUNT_UNREAD, {"user_id": user_id}).one()
    return UnreadCounts(int(unread), int(todos))


# One statement: a process that hangs between two statements would keep its locks, and others would wait for them.
# Locks are taken in the order of the primary key, and all of them before a delivery is touched (`array_agg` needs every
# row), as all writers do. The statement sees what was committed when it began: a message that arrives while it waits
# for a lock stays unread. What another device marked meanwhile is not counted twice, because READ COMMITTED looks at a
# changed row again, and counters move by as many rows as were marked. Unread deliveries are found newest first along
# the primary key; the search ends with the last one that the counter counts.
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
  RETURNING d.peer_id, d.message_id, d.read_at
), heard AS ({reads}
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
        reads=INSERT_READS,
        event=outbox.CONVERSATION_READ.format(
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
        reads=INSERT_READS,
        event=outbox.ALL_READ.format(
            user_id="CAST(:user_id AS bigint)", up_to_id="max(up_to_id)", unread="sum(unread_count)"
        ),
        having="HAVING count(*) > 0",
    )
)


def mark_all_read(connection: Connection, user_id: int) -> int:
    """Mark everything that a person has as read; returns how many messages were unread.

    The event for the person's devices is in the outbox with it. Safe to repeat: a second time it is 0.
    """
    parameters = {"user_id": user_id, "up_to_id": _NO_BOUND}
    return int(connection.execute(_READ_ALL, parameters).scalar_one())


def mark_read(
    connection: Connection, user_id: int, *, peer_id: int, up_to_id: int | None = None
) -> int:
    """Mark a conversation as read, up to and including `up_to_id` (None: all of it); returns how many were unread.

    The event for the person's devices is in the outbox with it. Safe to repeat: a second time it is 0.
    """
    bound = _NO_BOUND if up_to_id is None else up_to_id
    parameters = {"user_id": user_id, "peer_id": peer_id, "up_to_id": bound}
    return int(connection.execute(_READ_ONE, parameters).scalar_one())
