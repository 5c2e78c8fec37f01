"""The persist lane: who holds it, what the holder has claimed, and what happens to sends that fail.

One worker at a time holds the lane and puts what it claimed into the histories
(docs/decisions/0003-one-persist-lane.md, docs/decisions/0010-claims-and-leases.md). All but `take_lane` is only for the
holder. Each statement is whole by itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage.model.message import MAX_ID
from storage.postgres.outbox import HAS_EVENT_TO_PUBLISH
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
    """How the new holder finds the persist lane.

    `is_abandoned`: a claim was left behind. `holder_died`: that claim is another process's, which ended while
    PostgreSQL ran on. `has_unpublished`: messages in the histories whose events are due to be published.
    """

    is_abandoned: bool
    holder_died: bool
    has_unpublished: bool


def take_lane(connection: Connection, holder: str) -> LaneState | None:
    """Become the holder of the persist lane until the session ends; None if another session is.

    `holder` names the process. If it finds a claim of its own, PostgreSQL kept it from finishing: it was out of room,
    restarted or too slow.
    """
    row = connection.execute(_TAKE_LANE, {"holder": holder}).one()
    if not row.is_taken:
        return None
    holder_died = row.is_abandoned and row.is_anothers
    return LaneState(row.is_abandoned, holder_died, row.has_unpublished)


def leave_lane(connection: Connection) -> None:
    """Stop being the holder of the persist lane; the end of the session does the same."""
    connection.execute(_LEAVE_LANE)


# In id order, along the primary key: what was accepted or became due first is persisted first. The batch ends before the
# first row that has failed more often than the row it begins with. The claim does not wait for the disk: it is written
# before the batch, so what makes the batch durable makes the claim durable too.
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
RETURNING (SELECT ids FROM batch), {HAS_EVENT_TO_PUBLISH}
""")  # noqa: S608 (constants)


class Claim(NamedTuple):
    """The next ids to persist, in order (none: nothing is due), and whether the outbox has an event to publish."""

    ids: list[int]
    has_outbox: bool


def claim(
    connection: Connection,
    limit: int,
    *,
    publishing: Collection[int] = (),
    now: datetime | None = None,
) -> Claim:
    """Claim up to `limit` of the next ids to persist: they are noted before they are touched.

    It also says that what was claimed before is done, except `publishing`: those are persisted and perhaps not on the
    bus yet. If the holder dies, `recover_claim` looks at exactly what the claim names. Rows that failed before, or were
    claimed when a holder died, come in batches that are eight times smaller each time, so that a row that kills its
    worker ends up alone. `now` is the time by this process's clock; None reads it.
    """
    asked = due_parameters(now) | {"limit": limit, "publishing": array_literal(publishing)}
    return Claim(*connection.execute(_CLAIM, asked).one())


_END_CLAIM = text("""
UPDATE persist_claims SET ids = '{}', done = done + CAST(ids <> '{}' AS int) WHERE lane = 0
""")


def end_claim(connection: Connection) -> None:
    """Note that all that was claimed is done, and claim nothing more."""
    connection.execute(_END_CLAIM)


# A holder's death is evidence against a send only if the send was claimed alone, and if others were persisted since the
# last such death (docs/decisions/0027-evidence-before-poison.md): otherwise it may just have waited in PostgreSQL when
# something else killed the worker. `deaths` counts how often it was claimed at all when a holder could not finish; it
# makes the next batch smaller. A send that was alone for the second time rests for up to some seconds, so that others
# can be persisted.
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
    """Resolve a claim that was left behind; returns the ids that became dead letters.

    What the claim's holder had persisted is noted in `unpublished`: it is published, perhaps a second time. The rest is
    tried again in smaller batches, for as long as it takes. Only a send that kills its workers is moved to
    `failed_sends`: after `max_attempts` deaths of holders that had claimed it alone, with others persisted in between.
    """
    asked = {"holder_died": holder_died, "max_attempts": max_attempts}
    dead = [row.id for row in connection.execute(_ABANDONED, asked) if row.is_dead]
    move_to_failed(connection, dead)
    return dead


_RECORD_FAILURE = text("""
WITH unclaimed AS (
  UPDATE persist_claims SET ids = array_remove(ids, :id) WHERE lane = 0
)
UPDATE accepted SET attempts = attempts + 1, error = :error,
       ring_at = clock_timestamp() + make_interval(secs => 0.5 * power(2, attempts))
 WHERE id = :id RETURNING attempts
""")


def record_failure(connection: Connection, id: int, *, error: str, max_attempts: int) -> bool:
    """Note that persisting `id` alone raised `error`; True if that made it a dead letter.

    Otherwise it is tried again, after a pause that doubles. It is taken out of the claim, since its holder is alive.
    """
    attempts = connection.execute(_RECORD_FAILURE, {"id": id, "error": error}).scalar()
    if attempts is None or attempts < max_attempts:
        return False
    move_to_failed(connection, [id])
    return True
