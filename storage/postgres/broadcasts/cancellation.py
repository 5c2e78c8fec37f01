"""Cancelling a broadcast: what is not delivered when it is stopped never will be (contract §3).

Ingest and `carillon broadcasts` call `cancel`, then `discard_waiting` in a transaction of its own; the sweep does the
latter if they could not. A recall stops a broadcast the same way.
"""

from sqlalchemy import Connection, text

from storage.model.broadcast import BroadcastStatus
from storage.postgres.sends.withdrawals import check_broadcast, withdraw

_STOP = text("""
UPDATE broadcasts SET status = 'CANCELLED', finished_at = clock_timestamp()
 WHERE id = :id AND status IN ('PENDING', 'EXPANDING')
""")


def cancel(connection: Connection, broadcast_id: int) -> None:
    """Cancel: nothing more is planned, and no lane that begins now takes a chunk.

    In every state it is in, also scheduled or not persisted yet; one that has come to rest stays as it
    is. `discard_waiting` must follow, in a transaction of its own: see there. Raises NotFound if it is none.
    """
    check_broadcast(connection, broadcast_id)
    if not withdraw(connection, broadcast_id, status=BroadcastStatus.CANCELLED):
        connection.execute(_STOP, {"id": broadcast_id})


# A lane that looked before the stop was committed holds its chunk's lock: this waits for it, and then
# passes over the chunk. One that comes for the lock later finds the chunk cancelled. In a transaction
# of its own, because lanes take a chunk before its broadcast.
_DISCARD = text("""
UPDATE broadcast_chunks c SET state = 'cancelled', error = NULL, lease_until = NULL
  FROM broadcasts b
 WHERE b.id = c.broadcast_id AND b.status IN ('CANCELLED', 'RECALLING')
   AND c.broadcast_id = :id AND c.state = 'waiting'
""")


def discard_waiting(connection: Connection, broadcast_id: int) -> int:
    """After a stop: what is not expanded when this is committed never will be. How many chunks.

    Safe to repeat; changes nothing unless the broadcast was stopped.
    """
    return connection.execute(_DISCARD, {"id": broadcast_id}).rowcount


_STOPPED = text("""
SELECT DISTINCT b.id FROM broadcast_chunks c JOIN broadcasts b ON b.id = c.broadcast_id
 WHERE c.state = 'waiting' AND b.status IN ('CANCELLED', 'RECALLING')
""")


def list_undiscarded(connection: Connection) -> list[int]:
    """Stopped broadcasts whose `discard_waiting` did not follow (index broadcast_chunks_waiting)."""
    return list(connection.execute(_STOPPED).scalars())
