"""Retention: dropping months that are old enough, after unread counters and last messages were put right.

Upkeep takes the steps (`workers/retention.py`), a slice at a time: settle, check, drop, clear. Where it stands is in
`retention_progress`. Unread deliveries of the month are deleted together with their share of the counters, so that every
step may be interrupted or repeated; the rest is dropped with the partitions (docs/decisions/0007-partitions-by-month.md).
"""

from typing import Any

from sqlalchemy import Connection, Row, text

from storage.postgres.messages.partitions import Month

_PLACE = text("""
INSERT INTO retention_progress (month, high, user_id, peer_id) VALUES (:month, :high, :lowest, :lowest)
ON CONFLICT (month) DO UPDATE SET month = excluded.month RETURNING step, user_id, peer_id, next_block
""")
_LOWEST = -(2**63)
_MOVE = text("""
UPDATE retention_progress SET user_id = :user_id, peer_id = :peer_id WHERE month = :month
""")
# In the order in which all writers lock, and before the deliveries are read. By the primary key.
_LOCK = text("""
SELECT user_id, peer_id FROM conversations
 WHERE (user_id, peer_id) > (:user_id, :peer_id)
 ORDER BY user_id, peer_id LIMIT :slice FOR NO KEY UPDATE
""")
# The bounds of ids choose the one partition; in it, each conversation with unread messages is one probe of the primary
# key. A conversation whose last message is in the month has nothing else, and is deleted.
_SETTLE = text("""
WITH slice AS (
  SELECT c.user_id, c.peer_id, c.unread_count, c.last_message_id
    FROM conversations c
    JOIN unnest(CAST(:user_ids AS bigint[]), CAST(:peer_ids AS bigint[])) AS u(user_id, peer_id)
         USING (user_id, peer_id)
), gone AS (
  DELETE FROM deliveries d USING slice s
   WHERE s.unread_count > 0 AND d.user_id = s.user_id AND d.peer_id = s.peer_id
     AND d.message_id >= :low AND d.message_id < :high AND d.read_at IS NULL
  RETURNING d.user_id, d.peer_id
), sums AS (
  SELECT user_id, peer_id, count(*) AS unread FROM gone GROUP BY user_id, peer_id
), emptied AS (
  DELETE FROM conversations c USING slice s
   WHERE c.user_id = s.user_id AND c.peer_id = s.peer_id AND s.last_message_id < :high
)
UPDATE conversations c SET unread_count = c.unread_count - sums.unread
  FROM sums JOIN slice s USING (user_id, peer_id)
 WHERE c.user_id = sums.user_id AND c.peer_id = sums.peer_id AND s.last_message_id >= :high
""")


_CHECK = text("UPDATE retention_progress SET step = 'check' WHERE month = :month")


def _lock_place(connection: Connection, month: Month) -> Row[Any]:
    """Where the work on the month stands; locks it, so that two never work on one month."""
    asked = {"month": month.suffix, "high": month.high, "lowest": _LOWEST}
    return connection.execute(_PLACE, asked).one()


def settle_slice(connection: Connection, month: Month, *, slice: int) -> bool:
    """Settle the next `slice` conversations: afterwards they count and show nothing of `month`. False: all are settled.

    The place is stored in the same transaction, so an interruption costs nothing.
    """
    place = _lock_place(connection, month)
    if place.step != "settle":
        return False
    rows = connection.execute(
        _LOCK, {"user_id": place.user_id, "peer_id": place.peer_id, "slice": slice}
    ).all()
    if not rows:
        connection.execute(_CHECK, {"month": month.suffix})
        return False
    connection.execute(
        _SETTLE,
        {
            "user_ids": [row.user_id for row in rows],
            "peer_ids": [row.peer_id for row in rows],
            "low": month.low,
            "high": month.high,
        },
    )
    last = {"user_id": rows[-1].user_id, "peer_id": rows[-1].peer_id}
    connection.execute(_MOVE, last | {"month": month.suffix})
    return True


# Some pages of the month's partition, without reading the others (a TID range scan): there is no index of unread
# deliveries. The bounds of ids choose the partition; to name it, the role would need a right on each partition.
_LOOK = text("""
SELECT EXISTS (SELECT 1 FROM deliveries
                WHERE message_id >= :low AND message_id < :high
                  AND ctid >= CAST(:first AS tid) AND ctid < CAST(:last AS tid) AND read_at IS NULL)
         AS has_unread,
       :after * current_setting('block_size')::bigint < pg_relation_size(CAST(:partition AS text))
         AS has_more
""")
_LOOKED = text("UPDATE retention_progress SET next_block = :after WHERE month = :month")
_START_AGAIN = text("DELETE FROM retention_progress WHERE month = :month")


def check_settled(connection: Connection, month: Month, *, blocks: int = 1_000_000) -> bool | None:
    """Check the next `blocks` pages of the month for unread deliveries, after it was settled.

    True: all pages were checked and nothing is unread, so the month may be dropped. None: there are more pages to check.
    False: the month is not settled. If something is unread again (a dead letter was replayed with its old id), settling
    starts again.
    """
    place = _lock_place(connection, month)
    if place.step != "check":
        return False
    after = place.next_block + blocks
    asked = {
        "low": month.low,
        "high": month.high,
        "first": f"({place.next_block},0)",
        "last": f"({after},0)",
        "after": after,
        "partition": f"deliveries{month.suffix}",
    }
    seen = connection.execute(_LOOK, asked).one()
    if seen.has_unread:
        connection.execute(_START_AGAIN, {"month": month.suffix})
        return False
    if seen.has_more:
        connection.execute(_LOOKED, {"month": month.suffix, "after": after})
        return None
    return True


_DROP_MONTH = text("SELECT drop_message_month(:suffix)")
# By the primary keys. In slices, because each chunk is an array of thousands of ids.
_DROP_CHUNKS = text("""
DELETE FROM broadcast_chunks WHERE (broadcast_id, number) IN (
  SELECT broadcast_id, number FROM broadcast_chunks WHERE broadcast_id < :high LIMIT :slice)
""")
_DROP_BROADCASTS = text("DELETE FROM broadcasts WHERE id < :high")


def drop_chunks(connection: Connection, month: Month, *, slice: int) -> bool:
    """Delete up to `slice` chunks of the month's broadcasts; False: none was left."""
    asked = {"high": month.high, "slice": slice}
    return connection.execute(_DROP_CHUNKS, asked).rowcount > 0


# By the indexes that begin with the message.
_DROP_CARDS = tuple(
    text(f"""
DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE message_id < :high LIMIT :slice))
""")  # noqa: S608 (a constant)
    for table in ("todos", "card_refs", "card_versions")
)


def drop_cards(connection: Connection, month: Month, *, slice: int) -> bool:
    """Delete up to `slice` to-dos, or names of cards, of the month's messages; False: none was left."""
    asked = {"high": month.high, "slice": slice}
    return any(connection.execute(statement, asked).rowcount > 0 for statement in _DROP_CARDS)


_DROPPED = text("""
UPDATE retention_progress SET step = 'clear', user_id = :lowest, peer_id = :lowest WHERE month = :month
""")


def drop_month(connection: Connection, month: Month) -> None:
    """Drop a settled month: its messages, deliveries and broadcasts. `clear_slice` comes next.

    Raises TransientError if other transactions keep the tables locked; it can be tried again later.
    """
    # Everything that comes after a waiting DROP waits too, so it must give up soon.
    connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    connection.execute(_DROP_MONTH, {"suffix": month.suffix})
    connection.execute(_DROP_BROADCASTS, {"high": month.high})
    connection.execute(_DROPPED, {"month": month.suffix, "lowest": _LOWEST})


_TO_CLEAR = text("""
SELECT month, high, user_id, peer_id FROM retention_progress
 WHERE step = 'clear' ORDER BY month LIMIT 1 FOR UPDATE
""")
# A conversation whose last message was recalled after it was settled may point to a message of the dropped month: then
# it has nothing left. Along the primary key.
_CLEAR = text("""
WITH slice AS MATERIALIZED (
  SELECT user_id, peer_id, last_message_id FROM conversations
   WHERE (user_id, peer_id) > (:user_id, :peer_id)
   ORDER BY user_id, peer_id LIMIT :slice
), gone AS (
  DELETE FROM conversations c USING slice s
   WHERE c.user_id = s.user_id AND c.peer_id = s.peer_id
     AND s.last_message_id < :high AND c.last_message_id < :high
)
SELECT user_id, peer_id FROM slice ORDER BY user_id DESC, peer_id DESC LIMIT 1
""")


def clear_slice(connection: Connection, *, slice: int) -> bool:
    """Delete those of the next `slice` conversations that have nothing left; False: no month is to be cleared."""
    place = connection.execute(_TO_CLEAR).first()
    if place is None:
        return False
    asked = {"user_id": place.user_id, "peer_id": place.peer_id, "high": place.high, "slice": slice}
    last = connection.execute(_CLEAR, asked).first()
    if last is None:
        connection.execute(_START_AGAIN, {"month": place.month})
    else:
        moved = {"user_id": last.user_id, "peer_id": last.peer_id, "month": place.month}
        connection.execute(_MOVE, moved)
    return True
