"""What the broadcast lanes have to do: whether something is due, and how many chunks are in which state.

The sweep asks, to ring for it and to show it; the lanes' own questions are in `planning`, `expansion` and `recalls`.
"""

from sqlalchemy import Connection, text

from storage.postgres.broadcasts.changes import HAS_CHANGE_TO_TELL
from storage.postgres.held_apps import build_held_condition

# Indexes broadcasts_pending, broadcast_chunks_open, broadcasts_unfinished, broadcasts_changed.
_IS_DUE = text(f"""
SELECT EXISTS (SELECT FROM broadcasts p WHERE p.status = 'PENDING'
                  AND (p.rest_until IS NULL OR p.rest_until < clock_timestamp())
                  AND NOT {build_held_condition("p.app_id")})
    OR EXISTS (SELECT FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
                WHERE c.state IN ('waiting', 'expanded')
                  AND (b.status = 'EXPANDING' OR b.status = 'CANCELLED' AND c.state = 'expanded')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
                  AND NOT (c.state = 'waiting' AND {build_held_condition("c.app_id")}))
    OR EXISTS (SELECT FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
                WHERE b.status = 'RECALLING' AND c.state IN ('published', 'expanded', 'taken_back')
                  AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp()))
    OR {HAS_CHANGE_TO_TELL}
""")  # noqa: S608 (as above)


def has_due_work(connection: Connection) -> bool:
    """Whether a broadcast lane would find something to plan, expand, publish, take back or tell of a change."""
    return bool(connection.execute(_IS_DUE).scalar_one())


# Index broadcasts_unfinished, and the primary key of the chunks; few broadcasts run at a time.
_CHUNK_STATES = text("""
SELECT c.state, count(*) AS chunks FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id
 WHERE b.status IN ('PENDING', 'EXPANDING', 'RECALLING') GROUP BY c.state
""")


def count_chunks(connection: Connection) -> dict[str, int]:
    """How many chunks of running broadcasts are in each state, by the word in the table (a newer version may have more)."""
    return {row.state: row.chunks for row in connection.execute(_CHUNK_STATES)}
