"""Cancelling a broadcast: what is not delivered when it is stopped never will be (contract §3).

Ingest and `carillon broadcasts` call `cancel`, then `discard_waiting` in a transaction of its own; the sweep does the
latter if they could not. A recall stops a broadcast the same way.
"""

from sqlalchemy import Connection, text

from storage.model.app_event import AppEventType
from storage.model.broadcast import BroadcastStatus
from storage.postgres.app_events.writing import insert_broadcast_event
from storage.postgres.sends.withdrawals import check_broadcast, withdraw

_STOP = text(f"""
WITH stopped AS (
  UPDATE broadcasts SET status = 'CANCELLED', finished_at = clock_timestamp()
   WHERE id = :id AND status IN ('PENDING', 'EXPANDING')
  RETURNING id, app_id, total
) {insert_broadcast_event("stopped", AppEventType.BROADCAST_CANCELLED)}
""")  # noqa: S608 (a part of `writing.py`)


def cancel(connection: Connection, broadcast_id: int) -> None:
    """Cancel a broadcast: nothing more of it is planned, and no lane that begins now takes a chunk of it.

    It may be at any stage, also scheduled or not persisted yet; one that is finished stays as it is. `discard_waiting`
    must follow, in a transaction of its own. Raises NotFound if `broadcast_id` is no broadcast.
    """
    check_broadcast(connection, broadcast_id)
    if not withdraw(connection, broadcast_id, status=BroadcastStatus.CANCELLED):
        connection.execute(_STOP, {"id": broadcast_id})


# A lane that took a chunk before the stop was committed holds the chunk's lock: this waits for it and then passes over
# the chunk. A lane that comes later finds the chunk cancelled. It must be a transaction of its own, because lanes lock a
# chunk before its broadcast, and `cancel` has locked the broadcast.
_DISCARD = text("""
UPDATE broadcast_chunks c SET state = 'cancelled', error = NULL, lease_until = NULL
  FROM broadcasts b
 WHERE b.id = c.broadcast_id AND b.status IN ('CANCELLED', 'RECALLING')
   AND c.broadcast_id = :id AND c.state = 'waiting'
""")


def discard_waiting(connection: Connection, broadcast_id: int) -> int:
    """Cancel the waiting chunks of a stopped broadcast: none of them will be expanded; returns how many.

    Safe to repeat; changes nothing unless the broadcast is cancelled or being recalled.
    """
    return connection.execute(_DISCARD, {"id": broadcast_id}).rowcount


_UNDISCARDED = text("""
SELECT DISTINCT b.id FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
 WHERE c.state = 'waiting' AND b.status IN ('CANCELLED', 'RECALLING')
""")


def list_undiscarded(connection: Connection) -> list[int]:
    """The ids of stopped broadcasts for which `discard_waiting` is still to be done (index broadcast_chunks_waiting)."""
    return list(connection.execute(_UNDISCARDED).scalars())
