"""Scheduled sends of disabled apps that became due: kept beside the intake until the app is enabled.

Beside it, because the persist lane looks along everything that is due, and what is held for months must
not be in its way. Broadcasts are not here: they are persisted, and held where lanes would take them. The
sweep calls `hold` and `release`, slice by slice.
"""

from sqlalchemy import Connection, text

from storage.postgres.held_apps import is_held

# Index accepted_scheduled. A row that the persist lane has in hand is passed over.
_HOLD = text(f"""
WITH due AS (
  SELECT id FROM accepted
   WHERE is_scheduled AND ring_at <= clock_timestamp() AND NOT is_broadcast
     AND {is_held("sent_by_app_id")}
   ORDER BY ring_at LIMIT :limit FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM accepted WHERE id IN (SELECT id FROM due) RETURNING *
)
INSERT INTO held_sends (id, app_id, payload) SELECT id, sent_by_app_id, to_jsonb(gone) FROM gone
""")  # noqa: S608 (a column's name)


def hold(connection: Connection, *, limit: int) -> int:
    """Take up to `limit` due sends of disabled apps out of the persist lane's way; how many."""
    return connection.execute(_HOLD, {"limit": limit}).rowcount


# App by app along held_sends_app_id_id, and not through everything that stays held. Due at once; with a new
# id if retention has dropped the month of the old one, as a dead letter that is replayed.
_RELEASE = text("""
WITH released AS (
  DELETE FROM held_sends WHERE id IN (
    SELECT h.id FROM apps a CROSS JOIN LATERAL (
      SELECT id FROM held_sends WHERE app_id = a.id ORDER BY id LIMIT :limit) h
     WHERE a.is_active LIMIT :limit)
  RETURNING id, payload
), placed AS MATERIALIZED (
  SELECT payload, CASE WHEN has_message_month(id) THEN id ELSE next_message_id() END AS id
    FROM released
)
INSERT INTO accepted
SELECT r.* FROM placed p CROSS JOIN LATERAL jsonb_populate_record(
    NULL::accepted, p.payload || jsonb_build_object('id', p.id, 'ring_at', clock_timestamp())) AS r
""")


def release(connection: Connection, *, limit: int) -> int:
    """Let up to `limit` held sends of apps that are enabled again go on; how many."""
    return connection.execute(_RELEASE, {"limit": limit}).rowcount
