"""Letting months go: counters and last messages put right first, in slices, then the partitions.

Called by upkeep, a little at a time. The unread deliveries of a month are taken out as they are taken
off their counters, so that every step may be interrupted or repeated; what is left is dropped whole.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

# The oldest first: whatever a conversation has below its last message is in it, or is gone already.
_EXPIRED = text("""
SELECT suffix, message_id_floor(first) AS low, message_id_floor(first + interval '1 month') AS high
  FROM (
    SELECT (regexp_match(c.relname, '_y[0-9]{4}m[0-9]{2}$'))[1] AS suffix,
           make_timestamptz(CAST(substr(right(c.relname, 8), 2, 4) AS int),
                            CAST(right(c.relname, 2) AS int), 1, 0, 0, 0, 'UTC') AS first
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = CAST('deliveries' AS regclass)) months
 WHERE first + interval '1 month' <= clock_timestamp() - CAST(:kept AS interval)
 ORDER BY first LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Month:
    """A month's partitions: the end of their names, and the ids from `low` to below `high`."""

    suffix: str
    low: int
    high: int


def expired(connection: Connection, *, kept: timedelta) -> Month | None:
    """The oldest month all of which is older than `kept`; None if there is none."""
    row = connection.execute(_EXPIRED, {"kept": kept}).first()
    return None if row is None else Month(row.suffix, row.low, row.high)


_PLACE = text("""
INSERT INTO retention_progress (month, user_id, peer_id) VALUES (:month, 0, 0)
ON CONFLICT (month) DO UPDATE SET month = excluded.month RETURNING user_id, peer_id
""")
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


def settle(connection: Connection, month: Month, *, slice: int) -> bool:
    """Put the next `slice` conversations right for a future without `month`; False: all are.

    Where it stands is stored with it: an interruption costs nothing.
    """
    place = connection.execute(_PLACE, {"month": month.suffix}).one()
    rows = connection.execute(
        _LOCK, {"user_id": place.user_id, "peer_id": place.peer_id, "slice": slice}
    ).all()
    if not rows:
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


_HAS_UNREAD = text("""
SELECT EXISTS (SELECT 1 FROM deliveries
                WHERE message_id >= :low AND message_id < :high AND read_at IS NULL)
""")
_START_AGAIN = text("DELETE FROM retention_progress WHERE month = :month")


def is_settled(connection: Connection, month: Month) -> bool:
    """Whether no counter counts anything of the month.

    If one does again (a dead letter that was replayed with its old id), the settling starts again.
    """
    if not connection.execute(_HAS_UNREAD, {"low": month.low, "high": month.high}).scalar_one():
        return True
    connection.execute(_START_AGAIN, {"month": month.suffix})
    return False


_DROP_MONTH = text("SELECT drop_message_month(:suffix)")
_DROP_BROADCASTS = text("DELETE FROM broadcasts WHERE id < :high")
_DROP_CHUNKS = text("DELETE FROM broadcast_chunks WHERE broadcast_id < :high")


def drop(connection: Connection, month: Month) -> None:
    """Drop a settled month: its messages, deliveries and broadcasts.

    Raises TryLater when others do not let go of the tables for a moment: it is for the next time.
    """
    # All who come after a waiting DROP wait too: it must give up soon.
    connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    connection.execute(_DROP_MONTH, {"suffix": month.suffix})
    connection.execute(_DROP_CHUNKS, {"high": month.high})
    connection.execute(_DROP_BROADCASTS, {"high": month.high})
    connection.execute(_START_AGAIN, {"month": month.suffix})
