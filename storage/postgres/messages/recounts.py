"""The nightly recount of unread counters and to-dos: a sample of all of them, a slice at a time.

Beat starts it, upkeep goes on with it. Drift is a bug: it raises an alarm and is not repaired.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, text

from storage.postgres.message_rows import receiver_peer_expression

# Row 0 is what the last recount of counters found; row 1 is the recount that runs, with the page where it stands. Rows 2
# and 3 are the same of to-dos.
_START = text("""
INSERT INTO recounts (night, drifted, next_block) VALUES (1, 0, 0), (3, 0, 0) ON CONFLICT (night) DO NOTHING
""")
# The rows of some pages, without reading the others (a TID range scan). In one snapshot, so that a change is seen in the
# counter and in the deliveries, or in neither. Unread deliveries are found by the primary key.
_NEXT = text("""
WITH place AS MATERIALIZED (
  SELECT next_block AS first, next_block + CAST(:blocks AS bigint) AS after FROM recounts WHERE night = 1
), wrong AS MATERIALIZED (
  SELECT c.user_id, c.peer_id, c.unread_count, r.unread
    FROM (
      SELECT * FROM conversations
       WHERE ctid >= (SELECT CAST('(' || first || ',0)' AS tid) FROM place)
         AND ctid < (SELECT CAST('(' || after || ',0)' AS tid) FROM place)
         AND random() * 100 < :percent
      OFFSET 0) c
   CROSS JOIN LATERAL (
      SELECT count(*) AS unread FROM deliveries d
       WHERE d.user_id = c.user_id AND d.peer_id = c.peer_id AND d.read_at IS NULL) r
   WHERE c.unread_count <> r.unread
), moved AS (
  UPDATE recounts SET drifted = drifted + (SELECT count(*) FROM wrong), next_block = place.after
    FROM place WHERE night = 1
)
SELECT place.after * current_setting('block_size')::int < pg_relation_size('conversations') AS has_more,
       user_id, peer_id, unread_count, unread
  FROM place LEFT JOIN wrong ON true
""")
# A to-do stands for a delivery of a message with a state, and is open exactly if that is PENDING; of a broadcast that changed,
# chunks that are not told yet stand as they stood before. What is being erased or dropped loses its deliveries first. By the
# primary keys.
_NEXT_TODOS = text(f"""
WITH place AS MATERIALIZED (
  SELECT next_block AS first, next_block + CAST(:blocks AS bigint) AS after FROM recounts WHERE night = 3
), wrong AS MATERIALIZED (
  SELECT t.user_id, t.message_id
    FROM (
      SELECT * FROM todos
       WHERE ctid >= (SELECT CAST('(' || first || ',0)' AS tid) FROM place)
         AND ctid < (SELECT CAST('(' || after || ',0)' AS tid) FROM place)
         AND random() * 100 < :percent
      OFFSET 0) t
    LEFT JOIN messages m ON m.id = t.message_id
    LEFT JOIN broadcasts b ON m.is_broadcast AND b.id = t.message_id
   WHERE (m.state IS NULL
          OR NOT EXISTS (SELECT FROM deliveries d
                          WHERE d.user_id = t.user_id AND d.message_id = t.message_id
                            AND d.peer_id = {receiver_peer_expression("m")})
          OR t.is_open <> (m.state = 'PENDING') AND (b.id IS NULL OR b.version = b.told_version))
     AND NOT EXISTS (SELECT FROM erasures e WHERE e.user_id = t.user_id AND e.finished_at IS NULL)
     AND NOT EXISTS (SELECT FROM retention_progress r WHERE t.message_id < r.high)
), moved AS (
  UPDATE recounts SET drifted = drifted + (SELECT count(*) FROM wrong), next_block = place.after
    FROM place WHERE night = 3
)
SELECT place.after * current_setting('block_size')::int < pg_relation_size('todos') AS has_more,
       user_id, message_id
  FROM place LEFT JOIN wrong ON true
""")  # noqa: S608 (the peer's rule)
_END = text("""
WITH ended AS (DELETE FROM recounts WHERE night = :running RETURNING drifted)
INSERT INTO recounts (night, drifted) SELECT :running - 1, drifted FROM ended
ON CONFLICT (night) DO UPDATE SET drifted = excluded.drifted, counted_at = clock_timestamp()
""")


@dataclass(frozen=True, slots=True)
class Drift:
    """A conversation whose counter is not the number of its unread deliveries."""

    user_id: int
    peer_id: int
    counter: int
    real: int


@dataclass(frozen=True, slots=True)
class TodoDrift:
    """A to-do that stands for no delivery of a card, or is open though it is done, or the other way round."""

    user_id: int
    message_id: int


AnyDrift = TypeVar("AnyDrift", Drift, TodoDrift)


@dataclass(frozen=True, slots=True)
class RecountSlice(Generic[AnyDrift]):
    """What one slice of a recount found; `has_more`: it was not the last one."""

    drifts: tuple[AnyDrift, ...]
    has_more: bool


def start_recount(connection: Connection) -> None:
    """Begin a recount of counters and one of to-dos, unless one is running."""
    connection.execute(_START)


def recount_slice(
    connection: Connection, *, percent: float, blocks: int
) -> RecountSlice[Drift] | None:
    """Recount `percent` of the conversations in the next `blocks` pages; None if no recount is running.

    After the last slice the number of drifts is stored as the recount's result.
    """
    rows = connection.execute(_NEXT, {"percent": percent, "blocks": blocks}).all()
    if not rows:
        return None
    has_more = bool(rows[0].has_more)
    if not has_more:
        connection.execute(_END, {"running": 1})
    drifts = [
        Drift(row.user_id, row.peer_id, row.unread_count, row.unread)
        for row in rows
        if row.user_id is not None
    ]
    return RecountSlice(tuple(drifts), has_more)


def recount_todos_slice(
    connection: Connection, *, percent: float, blocks: int
) -> RecountSlice[TodoDrift] | None:
    """Look at `percent` of the to-dos in the next `blocks` pages, as `recount_slice` does."""
    rows = connection.execute(_NEXT_TODOS, {"percent": percent, "blocks": blocks}).all()
    if not rows:
        return None
    has_more = bool(rows[0].has_more)
    if not has_more:
        connection.execute(_END, {"running": 3})
    drifts = [TodoDrift(row.user_id, row.message_id) for row in rows if row.user_id is not None]
    return RecountSlice(tuple(drifts), has_more)
