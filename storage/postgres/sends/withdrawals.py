"""Taking a send back that is not in any history yet, or never will be: from the intake, or a dead letter.

Also: whether an id is a broadcast at all, wherever it is on its way.
"""

from sqlalchemy import Connection, text

from storage.model.broadcast import BroadcastStatus
from storage.model.errors import NotFound
from storage.postgres.message_rows import COLUMNS_OF_MESSAGES

# It goes to `messages` as recalled, and to `broadcasts` if it is one, so that it can still be asked after; unless
# retention has dropped its month, as a dead letter's may be: then nothing of it is kept, as of everything of that
# month. A holder of the persist lane that has the row in hand is waited for, and then this finds nothing.
_WITHDRAW = text(f"""
WITH waiting AS (
  DELETE FROM accepted WHERE id = :id RETURNING *
), failed AS (
  DELETE FROM failed_sends WHERE id = :id RETURNING payload
), held AS (
  DELETE FROM held_sends WHERE id = :id RETURNING payload
), gone AS (
  SELECT * FROM waiting
   UNION ALL
  SELECT r.* FROM (SELECT payload FROM failed UNION ALL SELECT payload FROM held) put_aside CROSS JOIN LATERAL jsonb_populate_record(NULL::accepted, payload) AS r
), kept AS (
  SELECT * FROM gone WHERE has_message_month(id)
), new_broadcast AS (
  INSERT INTO broadcasts (id, app_id, status, audience, unresolved, created_at, accepted_at, finished_at)
  SELECT id, sent_by_app_id, :status, audience, unresolved, created_at,
         coalesce(accepted_at, created_at), clock_timestamp()
    FROM kept WHERE is_broadcast
), new_message AS (
  INSERT INTO messages ({COLUMNS_OF_MESSAGES}, recalled_at)
  SELECT {COLUMNS_OF_MESSAGES}, clock_timestamp() FROM kept
)
SELECT count(*) FROM gone
""")  # noqa: S608 (column lists of `message_rows`)


def withdraw(
    connection: Connection, id: int, *, status: BroadcastStatus = BroadcastStatus.RECALLED
) -> bool:
    """See to it that an accepted, scheduled, held or failed send is never delivered; False if it is none.

    `status` is what its broadcast is then, if it is one. One statement, whole by itself.
    """
    return bool(connection.execute(_WITHDRAW, {"id": id, "status": status}).scalar_one())


# Wherever it is on its way, in one snapshot; by the primary keys.
_IS_BROADCAST = text("""
SELECT EXISTS (SELECT FROM broadcasts WHERE id = :id)
    OR EXISTS (SELECT FROM accepted WHERE id = :id AND is_broadcast)
    OR EXISTS (SELECT FROM failed_sends
                WHERE id = :id AND CAST(payload ->> 'is_broadcast' AS boolean))
""")


def check_broadcast(connection: Connection, id: int) -> None:
    """Raise NotFound unless `id` is a broadcast: what stops one would take half of another message away."""
    if not connection.execute(_IS_BROADCAST, {"id": id}).scalar_one():
        raise NotFound("There is no such broadcast.")
