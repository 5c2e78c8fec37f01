"""Withdrawing a send that is in no history yet: an accepted, held or failed one.

Recalls and cancellations begin here (`messages/recalls.py`, `broadcasts/recalls.py`, `broadcasts/cancellation.py`).
"""

from sqlalchemy import Connection, text

from storage.model.app_event import AppEventType
from storage.model.broadcast import BroadcastStatus
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.postgres.app_events.writing import insert_event
from storage.postgres.message_rows import COLUMNS_OF_MESSAGES, REQUEST_ID

# The send goes to `messages` as recalled, and to `broadcasts` if it is one, so that it can still be looked up. If
# retention has dropped its month (a dead letter may be that old), nothing of it is kept. If the holder of the persist
# lane is just persisting the row, this waits for it and then finds nothing.
_TELL_APP = insert_event(
    source="(SELECT * FROM gone WHERE is_broadcast) stopped",
    app_id="stopped.sent_by_app_id",
    type=f"""CASE CAST(:status AS text) WHEN '{BroadcastStatus.CANCELLED}' THEN '{AppEventType.BROADCAST_CANCELLED}'
             ELSE '{AppEventType.BROADCAST_RECALLED}' END""",
    data="jsonb_build_object('broadcast_id', stopped.id, 'total', 0)",
)
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
  INSERT INTO messages ({COLUMNS_OF_MESSAGES}, request_id, recalled_at)
  SELECT {COLUMNS_OF_MESSAGES}, {REQUEST_ID}, clock_timestamp() FROM kept
), told AS ({_TELL_APP})
SELECT count(*) FROM gone
""")  # noqa: S608 (column lists of `message_rows`)


def withdraw(
    connection: Connection, id: int, *, status: BroadcastStatus = BroadcastStatus.RECALLED
) -> bool:
    """Withdraw an accepted, scheduled, held or failed send, so that it is never delivered; False if it is none of these.

    `status` is the status of the broadcast, if it is one. One statement, whole by itself.
    """
    return bool(connection.execute(_WITHDRAW, {"id": id, "status": status}).scalar_one())


# All the places where it can be, in one snapshot; by the primary keys.
_IS_BROADCAST = text("""
SELECT EXISTS (SELECT FROM broadcasts WHERE id = :id)
    OR EXISTS (SELECT FROM accepted WHERE id = :id AND is_broadcast)
    OR EXISTS (SELECT FROM held_sends WHERE id = :id AND is_broadcast)
    OR EXISTS (SELECT FROM failed_sends
                WHERE id = :id AND CAST(payload ->> 'is_broadcast' AS boolean))
""")


def check_broadcast(connection: Connection, id: int) -> None:
    """Raise NotFound unless `id` is a broadcast, at whatever stage.

    To be asked before a broadcast is stopped: done to another message, that would take half of it away.
    """
    if not connection.execute(_IS_BROADCAST, {"id": id}).scalar_one():
        raise NotFound("There is no such broadcast.", code=ErrorCode.UNKNOWN_BROADCAST)
