"""Failures of broadcasts: plans and chunks that fail rest and are tried again, for ever (contract §3).

A chunk that fails keeps its state, and has an `error` until it works. The broadcast lanes write here, after they have
tried the chunk alone, so that it is the one that fails. Reports, `carillon doctor` and metrics show it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.model.broadcast import Chunk, ChunkState

# Half a second, then twice as long each time, up to a minute. `attempts` stops at 1000: the column is a smallint.
_PAUSE = "clock_timestamp() + make_interval(secs => 0.5 * power(2, least(attempts, 7)))"
_FAIL_PLAN = text(f"""
UPDATE broadcasts
   SET attempts = least(attempts + 1, 1000), error = :error, rest_until = {_PAUSE}
 WHERE id = :id AND status = 'PENDING'
""")  # noqa: S608 (the constant above)
_FAIL_CHUNK = text(f"""
UPDATE broadcast_chunks
   SET attempts = least(attempts + 1, 1000), error = :error, lease_until = {_PAUSE}
 WHERE broadcast_id = :id AND number = :number AND state = :state
""")  # noqa: S608 (as above)


def record_plan_failure(connection: Connection, broadcast_id: int, *, error: str) -> None:
    """Note that planning a broadcast raised `error`; it is planned again after a pause that doubles."""
    connection.execute(_FAIL_PLAN, {"id": broadcast_id, "error": error})


def record_chunk_failure(
    connection: Connection, chunk: Chunk, *, state: ChunkState, error: str
) -> None:
    """Note that the next step of a chunk in `state` raised `error`; it is tried again after a pause that doubles."""
    parameters = {"id": chunk.broadcast_id, "number": chunk.number}
    connection.execute(_FAIL_CHUNK, parameters | {"state": state, "error": error})


@dataclass(frozen=True, slots=True)
class FailingBroadcast:
    """A broadcast of which something fails: how many `parts` (chunks, and its plan), and the newest error."""

    broadcast_id: int
    app_name: str
    parts: int
    last_error: str


# Indexes broadcast_chunks_failing, broadcasts_pending.
_FAILING = text("""
WITH failing AS (
  SELECT broadcast_id, error, lease_until AS until FROM broadcast_chunks WHERE error IS NOT NULL
   UNION ALL
  SELECT id, error, rest_until FROM broadcasts WHERE status = 'PENDING' AND error IS NOT NULL
)
SELECT f.broadcast_id, coalesce(a.name, '') AS app_name, count(*) AS parts,
       (array_agg(f.error ORDER BY f.until DESC NULLS LAST))[1] AS last_error
  FROM failing f JOIN broadcasts b ON b.id = f.broadcast_id LEFT JOIN apps a ON a.id = b.app_id
 WHERE b.status IN ('PENDING', 'EXPANDING', 'CANCELLED', 'RECALLING') OR b.version > b.told_version
 GROUP BY f.broadcast_id, a.name ORDER BY f.broadcast_id LIMIT :limit
""")


def list_failing(connection: Connection, *, limit: int) -> list[FailingBroadcast]:
    """Up to `limit` broadcasts of which something fails and is tried again, oldest first."""
    rows = connection.execute(_FAILING, {"limit": limit})
    return [
        FailingBroadcast(row.broadcast_id, row.app_name, row.parts, row.last_error) for row in rows
    ]


# Versions before 0.1.0 gave up: their chunks are 'failed' and their broadcasts FAILED.
_RETRY_CHUNKS = text("""
UPDATE broadcast_chunks c
   SET lease_until = clock_timestamp(), state = CASE c.state WHEN 'failed' THEN 'waiting' ELSE c.state END
  FROM broadcasts b
 WHERE b.id = c.broadcast_id AND c.broadcast_id = :id AND c.error IS NOT NULL
   AND (b.status IN ('PENDING', 'EXPANDING', 'CANCELLED', 'RECALLING', 'FAILED')
        OR b.version > b.told_version)
""")
_RETRY_PLAN = text("""
UPDATE broadcasts SET rest_until = clock_timestamp()
 WHERE id = :id AND status = 'PENDING' AND error IS NOT NULL
""")
_REOPEN = text("""
UPDATE broadcasts SET status = 'EXPANDING', finished_at = NULL WHERE id = :id AND status = 'FAILED'
""")


def retry_failing(connection: Connection, broadcast_id: int) -> int:
    """Let the failing parts of a broadcast be tried again at once; returns how many. Pauses do not become shorter."""
    parameters = {"id": broadcast_id}
    chunks = connection.execute(_RETRY_CHUNKS, parameters).rowcount
    if chunks:
        connection.execute(_REOPEN, parameters)
    return chunks + connection.execute(_RETRY_PLAN, parameters).rowcount
