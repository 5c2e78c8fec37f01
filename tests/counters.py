"""The unread counters counted anew, for tests: by a query of its own, not by the nightly recount's."""

from sqlalchemy import Connection, text

_DRIFT = text("""
SELECT c.user_id, c.peer_id, c.unread_count, r.unread
  FROM conversations c
 CROSS JOIN LATERAL (
   SELECT count(*) AS unread FROM deliveries d
    WHERE d.user_id = c.user_id AND d.peer_id = c.peer_id AND d.read_at IS NULL) r
 WHERE c.unread_count <> r.unread
""")


def find_drift(connection: Connection) -> list[tuple[int, int, int, int]]:
    """(user_id, peer_id, counter, real) of every conversation whose counter is wrong."""
    rows = connection.execute(_DRIFT)
    return [(row.user_id, row.peer_id, row.unread_count, row.unread) for row in rows]
