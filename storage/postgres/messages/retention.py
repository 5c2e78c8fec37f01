"""Letting months go: counters and last messages put right first, in slices, then the partitions.

Called by upkeep, a little at a time: settle, check, drop, clear, the place in `retention_progress`. The unread deliveries
of a month are taken out as they are taken off their counters, so that every step may be interrupted or repeated; what is
left is dropped whole.
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
# In the order of every writer, and before the deliveries are looked at. By the primary key.
_LOCK = text("""
SELECT user_id, peer_id FROM conversations
 WHERE (user_id, peer_id) > (:user_id, :peer_id)
 ORDER BY user_id, peer_id LIMIT :slice FOR NO KEY UPDATE
""")
# The bounds lead to the one partition; within it by the primary key, a probe a conversation that has
# something unread. A conversation whose last message is in the month has nothing else: it goes.
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


def _place(connection: Connection, month: Month) -> Row[Any]:
    """Where it stands; the row is locked, so that two never work on one month."""
    asked = {"month": month.suffix, "high": month.high, "lowest": _LOWEST}
    return connection.execute(_PLACE, asked).one()


def settle_slice(connection: Connection, month: Month, *, slice: int) -> bool:
    """Put the next `slice` conversations right for a future without `month`; False: all are.

    Where it stands is stored with it: an interruption costs nothing.
    """
    place = _place(connection, month)
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


# Some pages of the month's partition, without reading the others (a TID range scan): there is no index of what is
# unread. The bounds of ids lead to the one partition; named itself, it would have to be granted.
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
    """Whether no counter counts anything of the month; None: more than the next `blocks` pages are to be looked at.

    If one does again (a dead letter that was replayed with its old id), the settling starts again.
    """
    place = _place(connection, month)
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
# By the primary keys. Of a broadcast of a million people a chunk is 40 KB.
_DROP_CHUNKS = text("""
DELETE FROM broadcast_chunks WHERE (broadcast_id, number) IN (
  SELECT broadcast_id, number FROM broadcast_chunks WHERE broadcast_id < :high LIMIT :slice)
""")
_DROP_BROADCASTS = text("DELETE FROM broadcasts WHERE id < :high")


def drop_chunks(connection: Connection, month: Month, *, slice: int) -> bool:
    """Forget some chunks of the month's broadcasts; False: none is left."""
    asked = {"high": month.high, "slice": slice}
    return connection.execute(_DROP_CHUNKS, asked).rowcount > 0


_DROPPED = text("""
UPDATE retention_progress SET step = 'clear', user_id = :lowest, peer_id = :lowest WHERE month = :month
""")


def drop_month(connection: Connection, month: Month) -> None:
    """Drop a settled month: its messages, deliveries and broadcasts. `clear` is next.

    Raises TransientError when others do not let go of the tables for a moment: it is for the next time.
    """
    # All who come after a waiting DROP wait too: it must give up soon.
    connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    connection.execute(_DROP_MONTH, {"suffix": month.suffix})
    connection.execute(_DROP_BROADCASTS, {"high": month.high})
    connection.execute(_DROPPED, {"month": month.suffix, "lowest": _LOWEST})


_TO_CLEAR = text("""
SELECT month, high, user_id, peer_id FROM retention_progress
 WHERE step = 'clear' ORDER BY month LIMIT 1 FOR UPDATE
""")
# Whose last message was taken back after the settling had passed them: what was left for the last one is gone with
# the month, and with it all they had. Along the primary key.
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
    """Take away conversations that have nothing left, of the next `slice`; False: no month is to be cleared."""
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
