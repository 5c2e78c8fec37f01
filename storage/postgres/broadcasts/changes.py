"""A broadcast that changed: everyone who has it is told, chunk by chunk, as it was expanded (contract §8).

Its new form is in `messages` from the change on (`messages/cards.py`); the broadcast lanes call this
(`workers/broadcasts/changes.py`). `broadcasts.version` is the form that there is, `broadcast_chunks.told_version` the one
that the chunk's people were told. So a change may be interrupted and repeated, and several at once are told as the last one.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import Chunk
from storage.model.message import CardState

# Not what is being recalled. Not a chunk that a lane has in hand. A chunk that is not published yet is told the newest
# form when it is, or comes here afterwards.
_IS_TO_TELL = """
   b.version > b.told_version AND b.status NOT IN ('RECALLING', 'RECALLED')
     AND c.state = 'published' AND c.told_version < b.version
     AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp())
"""
# What nobody has to be told any more: every chunk that will be expanded later begins with the newest form.
_IS_TOLD = """
   NOT EXISTS (SELECT FROM broadcast_chunks o WHERE o.broadcast_id = b.id
                  AND (o.state IN ('waiting', 'expanded')
                       OR o.state = 'published' AND o.told_version < b.version))
"""
# Index broadcasts_changed, and the primary key of the chunks.
HAS_CHANGE_TO_TELL = f"""EXISTS (
  SELECT FROM broadcasts b JOIN broadcast_chunks c ON c.broadcast_id = b.id WHERE {_IS_TO_TELL})
 OR EXISTS (SELECT FROM broadcasts b WHERE b.version > b.told_version AND {_IS_TOLD})
"""  # noqa: S608 (the constants above)
# The first chunks of all broadcasts come first, so that none waits for the whole of another.
_CLAIM = text(f"""
WITH next AS MATERIALIZED (
  SELECT c.broadcast_id, c.number, b.version, m.state FROM broadcasts b
    JOIN broadcast_chunks c ON c.broadcast_id = b.id
    JOIN messages m ON m.id = b.id AND m.recalled_at IS NULL
   WHERE {_IS_TO_TELL}
   ORDER BY c.number, c.broadcast_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED
), claimed AS (
  UPDATE broadcast_chunks c SET lease_until = clock_timestamp() + :lease
    FROM next WHERE (c.broadcast_id, c.number) = (next.broadcast_id, next.number)
  RETURNING c.broadcast_id, c.number, c.app_id, c.user_ids, next.version, next.state
), moved AS (
  INSERT INTO todos (message_id, user_id, is_open)
  SELECT d.message_id, d.user_id, c.state = '{CardState.PENDING}'
    FROM claimed c CROSS JOIN LATERAL unnest(c.user_ids) AS u(user_id)
    JOIN deliveries d ON d.user_id = u.user_id AND d.peer_id = -c.app_id AND d.message_id = c.broadcast_id
   WHERE c.state IS NOT NULL
   ORDER BY d.user_id
  ON CONFLICT (message_id, user_id) DO UPDATE SET is_open = excluded.is_open
   WHERE todos.is_open <> excluded.is_open
)
SELECT broadcast_id, number, app_id, user_ids, version FROM claimed
""")  # noqa: S608 (as above)


def claim_next(connection: Connection, *, lease: timedelta) -> Chunk | None:
    """Take the next chunk whose people are to be told of a change; None if there is none that no lane has.

    Their to-dos have moved with it. For `lease` the chunk is this lane's to publish, after that any lane's, and it is not
    recalled meanwhile. `version` is the form that they are to be told, or a newer one.
    """
    chunk = _read_chunk(connection.execute(_CLAIM, {"lease": lease}).first())
    if chunk is None:
        _close_told(connection)
    return chunk


_FIND_NEXT = text(f"""
SELECT c.broadcast_id, c.number, c.app_id, c.user_ids, b.version FROM broadcasts b
  JOIN broadcast_chunks c ON c.broadcast_id = b.id
 WHERE {_IS_TO_TELL}
 ORDER BY c.number, c.broadcast_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")  # noqa: S608 (as above)


def find_next(connection: Connection) -> Chunk | None:
    """Lock and return the chunk that `claim_next` would take; after a failure, to find out which chunk failed."""
    return _read_chunk(connection.execute(_FIND_NEXT).first())


def _read_chunk(row: Row[Any] | None) -> Chunk | None:
    if row is None:
        return None
    return Chunk(row.broadcast_id, row.number, row.app_id, tuple(row.user_ids), version=row.version)


_MARK_TOLD = text("""
UPDATE broadcast_chunks SET told_version = :version, error = NULL, lease_until = NULL
 WHERE broadcast_id = :id AND number = :number AND state = 'published' AND told_version < :version
""")


def mark_told(connection: Connection, chunk: Chunk) -> None:
    """Note that a chunk's people were told the form `chunk.version`: the event is on the bus."""
    asked = {"id": chunk.broadcast_id, "number": chunk.number, "version": chunk.version}
    connection.execute(_MARK_TOLD, asked)


# The version is named: a change that is made meanwhile raises it, and stays to be told.
_CHANGED = text(f"""
SELECT b.id, b.version FROM broadcasts b WHERE b.version > b.told_version AND {_IS_TOLD}
 ORDER BY b.id LIMIT 100
""")  # noqa: S608 (as above)
_CLOSE = text("""
UPDATE broadcasts SET told_version = :version WHERE id = :id AND told_version < :version
""")


def _close_told(connection: Connection) -> None:
    """Note of broadcasts whose every chunk was told that nothing is left to tell."""
    for row in connection.execute(_CHANGED).all():
        connection.execute(_CLOSE, {"id": row.id, "version": row.version})
