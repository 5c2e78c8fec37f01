"""Held sends: scheduled sends that became due while their app was disabled; they wait until it is enabled.

They are kept in a table of their own, because the persist lane reads along everything that is due, and what is held for
months would be in its way. Broadcasts are persisted all the same; the broadcast lanes hold them. The sweep calls `hold`
and `release`, a slice at a time (docs/decisions/0021-scheduled-sends-and-held-apps.md).
"""

from sqlalchemy import Connection, text

from storage.postgres.held_apps import build_held_condition

# Index accepted_scheduled. A row that another transaction has locked is passed over.
_HOLD = text(f"""
WITH due AS (
  SELECT id FROM accepted
   WHERE is_scheduled AND ring_at <= clock_timestamp() AND NOT is_broadcast
     AND {build_held_condition("sent_by_app_id")}
   ORDER BY ring_at LIMIT :limit FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM accepted WHERE id IN (SELECT id FROM due) RETURNING *
)
INSERT INTO held_sends (id, app_id, payload) SELECT id, sent_by_app_id, to_jsonb(gone) FROM gone
""")  # noqa: S608 (a column's name)


def hold(connection: Connection, *, limit: int) -> int:
    """Move up to `limit` due sends of disabled apps from `accepted` to `held_sends`; returns how many."""
    return connection.execute(_HOLD, {"limit": limit}).rowcount


# App by app along held_sends_app_id_id, without reading what stays held. A send is due at once, with a new id if
# retention has dropped the month of the old one.
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
    """Move up to `limit` held sends of apps that are enabled again back to `accepted`; returns how many."""
    return connection.execute(_RELEASE, {"limit": limit}).rowcount
