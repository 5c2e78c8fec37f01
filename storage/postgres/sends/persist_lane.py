"""The persist lane: one holder at a time, what it has in hand, and what speaks against a send that fails.

Called by the holder of the lane (`workers/persist.py`), which puts what it claimed into the histories
(docs/decisions/0003-one-persist-lane.md, docs/decisions/0010-claims-and-leases.md).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage.model.message import MAX_ID
from storage.postgres.outbox import ONE_TO_PUBLISH
from storage.postgres.raw_statements import array_literal
from storage.postgres.sends.due_work import IS_DUE_ROW, due_parameters
from storage.postgres.sends.failed_sends import move_to_failed

_TAKE_LANE = text("""
WITH lane AS MATERIALIZED (
  SELECT pg_try_advisory_lock(hashtext('carillon persist')) AS is_taken
), entered AS (
  INSERT INTO persist_holder (lane, holder) SELECT 0, :holder FROM lane WHERE is_taken
  ON CONFLICT (lane) DO UPDATE SET holder = excluded.holder
   WHERE persist_holder.holder <> excluded.holder
)
SELECT is_taken,
       EXISTS (SELECT 1 FROM persist_claims WHERE ids <> '{}') AS is_abandoned,
       EXISTS (SELECT 1 FROM persist_holder WHERE holder <> :holder) AS is_anothers,
       EXISTS (SELECT 1 FROM unpublished WHERE try_at <= clock_timestamp()) AS has_unpublished
  FROM lane
""")
_LEAVE_LANE = text("SELECT pg_advisory_unlock(hashtext('carillon persist'))")


@dataclass(frozen=True, slots=True)
class LaneState:
    """What the new holder of the persist lane finds: a claim left behind, unpublished messages.

    `holder_died`: the claim is that of another process, which ended while PostgreSQL went on.
    """

    is_abandoned: bool
    holder_died: bool
    has_unpublished: bool


def take_lane(connection: Connection, holder: str) -> LaneState | None:
    """Become the one holder of the persist lane, for this session; None if another is.

    `holder` names the process. A claim of its own that it finds is one that PostgreSQL kept it from
    finishing: out of room, restarted, too slow.
    """
    row = connection.execute(_TAKE_LANE, {"holder": holder}).one()
    if not row.is_taken:
        return None
    holder_died = row.is_abandoned and row.is_anothers
    return LaneState(row.is_abandoned, holder_died, row.has_unpublished)


def leave_lane(connection: Connection) -> None:
    """Stop being the holder; the end of the session does the same."""
    connection.execute(_LEAVE_LANE)


# What was accepted first, or became due first, is persisted first: the primary key, in id order. The batch ends before a row
# that has failed more often than its first. Not waiting for the disk: whatever makes the batch durable
# makes this durable before it.
_CLAIM = text(f"""
WITH due AS (
  SELECT id, attempts + deaths AS attempts FROM accepted
   WHERE {IS_DUE_ROW}
   ORDER BY id LIMIT :limit
), first AS (
  SELECT attempts FROM due ORDER BY id LIMIT 1
), batch AS (
  SELECT coalesce(array_agg(id ORDER BY id), '{{}}') AS ids FROM (
    SELECT id FROM due
     WHERE id < coalesce((SELECT min(id) FROM due WHERE attempts > (SELECT attempts FROM first)), {MAX_ID})
     ORDER BY id
     LIMIT (SELECT greatest(1, floor(:limit / power(8, attempts))) FROM first)) AS taken
)
INSERT INTO persist_claims (lane, ids)
SELECT 0, CAST(:publishing AS bigint[]) || ids
  FROM batch WHERE set_config('synchronous_commit', 'off', true) = 'off'
ON CONFLICT (lane) DO UPDATE
   SET ids = excluded.ids, claimed_at = clock_timestamp(),
       done = persist_claims.done + CAST(persist_claims.ids <> '{{}}' AS int)
RETURNING (SELECT ids FROM batch), {ONE_TO_PUBLISH}
""")  # noqa: S608 (constants)


class Claim(NamedTuple):
    """The next ids to persist, in order, and whether the outbox holds something."""

    ids: list[int]
    has_outbox: bool


def claim(
    connection: Connection,
    limit: int,
    *,
    publishing: Collection[int] = (),
    now: datetime | None = None,
) -> Claim:
    """Note down, and return, the next ids to persist, in order; none when nothing is due.

    Only for the holder of the persist lane, who says with it that what it claimed before is done, but
    for `publishing`: persisted, and perhaps not on the bus yet. If the holder dies, `recover_claim` looks at
    exactly the new ones. Rows that failed before, or were in hand when a holder died, come in batches that
    shrink eightfold each time, so that a row that kills its worker ends up alone. `now`: the time by this
    process's clock.
    """
    asked = due_parameters(now) | {"limit": limit, "publishing": array_literal(publishing)}
    return Claim(*connection.execute(_CLAIM, asked).one())


_END_CLAIM = text("""
UPDATE persist_claims SET ids = '{}', done = done + CAST(ids <> '{}' AS int) WHERE lane = 0
""")


def end_claim(connection: Connection) -> None:
    """Say that what was claimed is done, without claiming more."""
    connection.execute(_END_CLAIM)


# A death says something against a send only if it was alone in hand, and if others have gone through since the
# last time: else PostgreSQL may have kept it waiting, and whatever kills workers met it there. `deaths` is how often
# it was in hand at all when a holder could not finish, for the size of the next batch: what cannot be finished ends
# up alone. Alone for the second time it rests, up to some seconds, so that others can go through.
_ABANDONED = text("""
WITH claimed AS (
  SELECT unnest(ids) AS id, done FROM persist_claims WHERE lane = 0
), persisted AS (
  INSERT INTO unpublished (message_id)
  SELECT m.id FROM messages m JOIN claimed USING (id) WHERE m.recalled_at IS NULL
  ON CONFLICT DO NOTHING
), cleared AS (
  UPDATE persist_claims SET ids = '{}' WHERE lane = 0
), in_hand AS (
  SELECT a.id, c.done, count(*) OVER () = 1 AS is_alone,
         :holder_died AND count(*) OVER () = 1 AND c.done > coalesce(a.died_at_claim, -1)
           AS is_evidence
    FROM accepted a JOIN claimed c USING (id)
)
UPDATE accepted a
   SET deaths = least(a.deaths + CAST(NOT h.is_evidence AS int), 4),
       attempts = a.attempts + CAST(h.is_evidence AS int),
       died_at_claim = CASE WHEN h.is_evidence THEN h.done ELSE a.died_at_claim END,
       ring_at = CASE WHEN h.is_alone AND a.attempts + a.deaths > 0
                      THEN clock_timestamp()
                           + make_interval(secs => 0.25 * power(2, least(a.attempts + a.deaths, 5)))
                      ELSE a.ring_at END,
       error = CASE WHEN :holder_died THEN 'The worker died while it had this in hand.' ELSE a.error END
  FROM in_hand h WHERE a.id = h.id
RETURNING a.id, h.is_evidence AND a.attempts >= :max_attempts AS is_dead
""")


def recover_claim(connection: Connection, *, holder_died: bool, max_attempts: int) -> list[int]:
    """Put right what was left in hand; returns the ids that are dead now. Only for the holder of the lane.

    What was persisted may not be published: it will be, perhaps a second time. What was not is tried
    again, in smaller batches, however often, unless it kills its workers: `max_attempts` deaths of holders who had it alone,
    with others persisted between them, move it to `failed_sends`. Nothing is put aside for having waited.
    Each of its statements is whole by itself.
    """
    asked = {"holder_died": holder_died, "max_attempts": max_attempts}
    dead = [row.id for row in connection.execute(_ABANDONED, asked) if row.is_dead]
    move_to_failed(connection, dead)
    return dead


_COUNT_FAILURE = text("""
WITH unclaimed AS (
  UPDATE persist_claims SET ids = array_remove(ids, :id) WHERE lane = 0
)
UPDATE accepted SET attempts = attempts + 1, error = :error,
       ring_at = clock_timestamp() + make_interval(secs => 0.5 * power(2, attempts))
 WHERE id = :id RETURNING attempts
""")


def record_failure(connection: Connection, id: int, *, error: str, max_attempts: int) -> bool:
    """Note that persisting `id` alone raised `error`, to be tried again later; True when it is dead now.

    The claim forgets it: its holder is alive and goes on with the others. Only for the holder of the lane.
    """
    attempts = connection.execute(_COUNT_FAILURE, {"id": id, "error": error}).scalar()
    if attempts is None or attempts < max_attempts:
        return False
    move_to_failed(connection, [id])
    return True
