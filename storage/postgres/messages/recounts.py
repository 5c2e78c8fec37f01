"""The nightly recount of unread counters: a sample of all conversations, a slice at a time.

Beat starts it, upkeep goes on with it. Drift is a bug: it raises an alarm and is not repaired.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

# Row 0 is what the last recount found; row 1 is the recount that runs, with the page where it stands.
_START = text("""
INSERT INTO recounts (night, drifted, next_block) VALUES (1, 0, 0) ON CONFLICT (night) DO NOTHING
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
_END = text("""
WITH ended AS (DELETE FROM recounts WHERE night = 1 RETURNING drifted)
INSERT INTO recounts (night, drifted) SELECT 0, drifted FROM ended
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
class RecountSlice:
    """What one slice of the recount found; `has_more`: it was not the last one."""

    drifts: tuple[Drift, ...]
    has_more: bool


def start_recount(connection: Connection) -> None:
    """Begin a recount, unless one is running."""
    connection.execute(_START)


def recount_slice(connection: Connection, *, percent: float, blocks: int) -> RecountSlice | None:
    """Recount `percent` of the conversations in the next `blocks` pages; None if no recount is running.

    After the last slice the number of drifts is stored as the recount's result.
    """
    rows = connection.execute(_NEXT, {"percent": percent, "blocks": blocks}).all()
    if not rows:
        return None
    has_more = bool(rows[0].has_more)
    if not has_more:
        connection.execute(_END)
    drifts = [
        Drift(row.user_id, row.peer_id, row.unread_count, row.unread)
        for row in rows
        if row.user_id is not None
    ]
    return RecountSlice(tuple(drifts), has_more)
