"""Held sends: what a disabled or paused app has sent and is due, put aside until it may go on (contract §2).

They are kept in a table of their own, because the persist lane reads along everything that is due, and what is held for
months would be in its way. The sweep calls `hold` and `release`, a slice at a time
(docs/decisions/0021-scheduled-sends-and-held-apps.md, docs/decisions/0033-pauses.md).
"""

from sqlalchemy import Connection, text

from storage.postgres.held_apps import build_paused_condition, try_turn
from storage.postgres.sends.due_work import IS_DUE_ROW, NEWEST_DUE_ID, due_parameters

# While so many sends wait for the lane, no more are released: they would only fill `accepted` up to its cap.
_ENOUGH = 20_000

# In id order along the primary key. Nothing is read unless an app is held. A send that the lane has claimed is left to
# it: moved from under its hands, it could come after later ones. An app is held for a second before anything is moved,
# so that a claim which was made before that has been written.
_HOLD = text(f"""
WITH held AS MATERIALIZED (
  SELECT app_id FROM held_apps
   WHERE NOT is_releasing AND held_at <= clock_timestamp() - interval '1 second'
), due AS (
  SELECT id FROM accepted
   WHERE EXISTS (SELECT FROM held)
     AND id <= {NEWEST_DUE_ID} AND (NOT is_scheduled OR ring_at <= clock_timestamp())
     AND sent_by_app_id = ANY (ARRAY(SELECT app_id FROM held))
     AND id NOT IN (SELECT unnest(ids) FROM persist_claims)
   ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM accepted WHERE id = ANY (ARRAY(SELECT id FROM due)) RETURNING *
)
INSERT INTO held_sends (id, app_id, is_broadcast, payload)
SELECT id, sent_by_app_id, is_broadcast, to_jsonb(gone) FROM gone
""")  # noqa: S608 (constants)


def hold(connection: Connection, *, limit: int) -> int:
    """Move up to `limit` due sends of held apps from `accepted` to `held_sends`; returns how many.

    0 also if somebody else is just changing what is held.
    """
    if not try_turn(connection):
        return 0
    return connection.execute(_HOLD, due_parameters(None) | {"limit": limit}).rowcount


# Of every releasing app its oldest sends, along held_sends_app_id_id, without reading what stays held: an array is looked
# up by the primary key, where PostgreSQL joins a set of which it does not know how small it is. A send is due at
# once, with a new id if retention has dropped the month of the old one. `released_up_to` is the old id: what got a new
# one may go on when the app has nothing aside any more.
_RELEASE = text(f"""
WITH releasing AS MATERIALIZED (
  SELECT app_id, count(*) OVER () AS number FROM held_apps
   WHERE is_releasing AND NOT {build_paused_condition("sends")}
     AND (SELECT count(*) FROM (SELECT FROM accepted WHERE {IS_DUE_ROW} LIMIT :enough) due) < :enough
), released AS (
  DELETE FROM held_sends WHERE id = ANY (ARRAY(
    SELECT s.id FROM releasing r CROSS JOIN LATERAL (
      SELECT id FROM held_sends WHERE app_id = r.app_id ORDER BY id
       LIMIT greatest(1, :limit / r.number)) s))
  RETURNING id, app_id, payload
), placed AS MATERIALIZED (
  SELECT payload, CASE WHEN has_message_month(id) THEN id ELSE next_message_id() END AS id
    FROM (SELECT * FROM released ORDER BY id) in_order
), marked AS (
  UPDATE held_apps h SET released_up_to = m.id
    FROM (SELECT app_id, max(id) AS id FROM released GROUP BY app_id) m WHERE m.app_id = h.app_id
)
INSERT INTO accepted
SELECT r.* FROM placed p CROSS JOIN LATERAL jsonb_populate_record(
    NULL::accepted, p.payload || jsonb_build_object('id', p.id, 'ring_at', clock_timestamp())) AS r
""")  # noqa: S608 (constants)


def release(connection: Connection, *, limit: int) -> int:
    """Move about `limit` held sends of apps that may go on back to `accepted`, oldest first; returns how many.

    0 also while the queue `sends` is paused, while the lane has enough to do, and if somebody else is just changing
    what is held. When an app's last send is released, `update_held_apps` lets its later ones go on.
    """
    if not try_turn(connection):
        return 0
    asked = due_parameters(None) | {"limit": limit, "enough": _ENOUGH}
    return connection.execute(_RELEASE, asked).rowcount


_COUNT = text("""
SELECT coalesce(a.app_id, CAST(h.app_id AS text)) AS name, h.number
  FROM (SELECT app_id, count(*) AS number FROM held_sends GROUP BY app_id) h
  LEFT JOIN apps a ON a.id = h.app_id ORDER BY name
""")


def count_held(connection: Connection) -> dict[str, int]:
    """How many sends of each app are put aside, by its string id. Reads all of index held_sends_app_id_id."""
    return {row.name: row.number for row in connection.execute(_COUNT)}
