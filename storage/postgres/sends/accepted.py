"""The intake: what has been accepted and is not yet in the histories.

Ingest writes here (`accept`); the holder of the persist lane reads (`take_lane` … `leave_lane`). A row is the
promise of a 2xx (contract §2): it leaves only for `messages`, or for `failed_sends`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast

import orjson
from sqlalchemy import Connection, Row, text

from storage.model.errors import CallerError, invalid
from storage.model.message import ContentType, Message, MessageType, UnknownWord
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.database import execute_raw
from storage.postgres.held_apps import is_held
from storage.postgres.outbox import ONE_OVERDUE, ONE_TO_PUBLISH

# Contract §2: a key is remembered for a day.
KEY_LIFETIME = timedelta(hours=24)
# How far PostgreSQL's clock may be ahead of the clock of the process that asks. Clocks that are some minutes
# off go on working; past it ids would be given out that no later one could come after for as long.
CLOCK_TOLERANCE = timedelta(hours=1)


# Not frozen, for its making; see `Send`.
@dataclass(slots=True)
class IntakeItem:
    """A send on its way in, with the caller's idempotency key if there is one, and where it comes from.

    `origin`: the text of a `model.origin.Origin`.
    """

    send: Send
    key: IdempotencyKey | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much is waiting, since how long (0.0 when nothing is), and how many sends have failed.

    `scheduled_due`: scheduled sends that are due and not yet persisted; they do not count in `waiting`, and
    do in `oldest_seconds`.
    `set_aside`: messages whose event cannot be published. `drifted`: unread counters that the last nightly
    recount found wrong. `broadcasts`: those that are planned, expanded or taken back now, without what is
    held; `people_left`: whose chunk of one is still waiting; `parts_failing`: chunks, and plans of
    broadcasts, that failed and are tried again.
    `clock_ahead_seconds`: of PostgreSQL's clock to this process's. `ids_ahead_seconds`: of the instant in the
    highest id to PostgreSQL's clock; 0.0 unless that was set back. `sweep_age_seconds`: since beat had
    something swept.
    """

    waiting: int
    oldest_seconds: float
    failed: int
    drifted: int = 0
    broadcasts: int = 0
    people_left: int = 0
    parts_failing: int = 0
    set_aside: int = 0
    scheduled_due: int = 0
    clock_ahead_seconds: float = 0.0
    ids_ahead_seconds: float = 0.0
    sweep_age_seconds: float = 0.0


_COLUMNS = """sender_id, receiver_id, app_id, sent_by_app_id, type, content_type, title, content,
 action_url, action_text, filename, is_broadcast"""

# Ids and instants are PostgreSQL's; the whole batch's ids are one question, and rise in its order. One JSON
# value costs less than nineteen arrays to write and read. Keys are inserted in key order, so that two
# batches with the same keys wait for one another and never deadlock.
_ACCEPT_ANY = f"""
WITH first AS MATERIALIZED (
  SELECT take_message_ids(CAST(%(count)s AS int), CAST(%(latest)s AS bigint)) AS id
){{scheduled_ids}}, batch AS MATERIALIZED (
  SELECT u.*, {{id}} AS id, {{created_at}} AS created_at, {{is_scheduled}} AS is_scheduled
    FROM ROWS FROM (json_to_recordset(CAST(%(batch)s AS json)) AS (
      sender_id bigint, receiver_id bigint, app_id int, sent_by_app_id int, type text,
      content_type text, title text, content text, action_url text, action_text text,
      filename text, is_broadcast bool, app_name text, audience bigint[], unresolved jsonb, send_at timestamptz,
      caller text, key text, fingerprint text, kept jsonb, origin text
    )) WITH ORDINALITY AS u(
      sender_id, receiver_id, app_id, sent_by_app_id, type, content_type, title, content,
      action_url, action_text, filename, is_broadcast, app_name, audience, unresolved, send_at,
      caller, key, fingerprint, kept, origin, place), {{tables}}
), keys AS (
  INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, created_at, send)
  SELECT caller, key, decode(fingerprint, 'hex'), id, created_at, kept
    FROM batch WHERE key IS NOT NULL ORDER BY caller, key
  ON CONFLICT DO NOTHING
  RETURNING message_id
), fresh AS (
  SELECT * FROM batch WHERE key IS NULL OR id IN (SELECT message_id FROM keys)
), taken AS (
  INSERT INTO accepted (id, created_at, {_COLUMNS}, app_name, audience, unresolved,
                        is_scheduled, ring_at, accepted_at, origin)
  SELECT id, created_at, {_COLUMNS}, app_name, audience, unresolved, is_scheduled,
         created_at, CASE WHEN is_broadcast THEN clock_timestamp() END, origin
    FROM fresh ORDER BY place
)
SELECT b.id, b.created_at, f.id IS NOT NULL AS is_fresh
  FROM batch b LEFT JOIN fresh f USING (id) ORDER BY b.place
"""  # noqa: S608 (the columns are the constant above)
_LIVE_ID = "first.id + 2 * (place - 1)"
_ACCEPT = _ACCEPT_ANY.format(
    scheduled_ids="",
    id=_LIVE_ID,
    created_at="clock_timestamp()",
    is_scheduled="false",
    tables="first",
)
# With sends for later: what is due when it comes is a live one.
_ACCEPT_SCHEDULED = _ACCEPT_ANY.format(
    scheduled_ids=""", scheduled AS MATERIALIZED (
  SELECT take_scheduled_ids(CAST(%(dues)s AS timestamptz[])) AS ids
)""",
    id=f"coalesce(scheduled.ids[place], {_LIVE_ID})",
    created_at="CASE WHEN scheduled.ids[place] IS NULL THEN clock_timestamp() ELSE send_at END",
    is_scheduled="scheduled.ids[place] IS NOT NULL",
    tables="first, scheduled",
)

_FIRST_USES = text("""
SELECT k.caller, k.key, k.fingerprint, k.message_id, k.created_at, k.send
  FROM idempotency_keys k
  JOIN unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key) USING (caller, key)
""")

# By the primary key. Only past its lifetime, so that of two at once one purges and both go on; and not by
# the word of a clock that jumped ahead: the key's next use would be a second send.
_PURGE_KEYS = text("""
DELETE FROM idempotency_keys k
 USING unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key)
 WHERE (k.caller, k.key) = (u.caller, u.key)
   AND k.created_at < least(clock_timestamp(), :latest) - CAST(:lifetime AS interval)
""")


def accept(
    connection: Connection, requests: Sequence[IntakeItem], *, now: datetime | None = None
) -> list[Accepted | CallerError]:
    """Write all of `requests` at once, or nothing; the answers are in their order.

    After the caller's commit each new one is a promise. A key that was used before with the same body
    gives the first answer again and writes nothing, also when both are in flight (the second waits
    for the first to commit); with another body its entry is an `Invalid`, the others stand.

    `now`: the time by the caller's own clock. Raises TransientError when PostgreSQL's is CLOCK_TOLERANCE past it:
    ids of a far future would have no partition, and no id after them could be in the present.
    """
    now = now or datetime.now(UTC)
    keyed = [request.key for request in requests if request.key is not None]
    if keyed:
        forget_old(connection, keyed, now=now)
    dues = [request.send.send_at for request in requests]
    asked = _batch(requests) | {"latest": int((now + CLOCK_TOLERANCE).timestamp() * 1000)}
    if any(dues):
        rows = execute_raw(connection, _ACCEPT_SCHEDULED, asked | {"dues": dues})
    else:
        rows = execute_raw(connection, _ACCEPT, asked)
    has_replay = keyed and not all(is_fresh for _id, _created_at, is_fresh in rows)
    before = first_uses(connection, keyed) if has_replay else {}
    return [
        Accepted(id, created_at, request.send) if is_fresh else _replay(request, before)
        for request, (id, created_at, is_fresh) in zip(requests, rows, strict=True)
    ]


def first_answers(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> list[Accepted | CallerError | None]:
    """What requests with these keys were answered before, in their order; None if none was, in the last day."""
    forget_old(connection, keys)
    before = first_uses(connection, keys)
    found = ((key, before.get((key.caller, key.key))) for key in keys)
    return [None if first is None else replayed(key, first) for key, first in found]


def _replay(
    request: IntakeItem, first_uses: dict[tuple[str, str], Row[Any]]
) -> Accepted | CallerError:
    key = request.key
    if key is None:
        raise AssertionError("Only a key can have been used before.")
    return replayed(key, first_uses[(key.caller, key.key)])


def replayed(key: IdempotencyKey, first: Row[Any]) -> Accepted | CallerError:
    """What the first use of the key, a row of `first_uses`, says to one more."""
    if bytes(first.fingerprint) != key.fingerprint:
        return used_for_another()
    return Accepted(first.message_id, first.created_at, _send(first.send), is_replay=True)


def used_for_another() -> CallerError:
    """The refusal of a key whose first use had another body."""
    return invalid("Idempotency-Key", "This key was used before with another body.", where="header")


def forget_old(
    connection: Connection, keys: Sequence[IdempotencyKey], *, now: datetime | None = None
) -> None:
    """Forget those of `keys` that were used more than a day ago, so that they are new again.

    `now` as in `accept`: a clock of PostgreSQL's that jumped ahead makes no key old.
    """
    asked = {"lifetime": KEY_LIFETIME, "latest": (now or datetime.now(UTC)) + CLOCK_TOLERANCE}
    connection.execute(_PURGE_KEYS, _key_columns(keys) | asked)


def first_uses(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> dict[tuple[str, str], Row[Any]]:
    """The rows of those of `keys` that have been used, by caller and key. By the primary key."""
    rows = connection.execute(_FIRST_USES, _key_columns(keys))
    return {(row.caller, row.key): row for row in rows}


def _key_columns(keys: Sequence[IdempotencyKey]) -> dict[str, Any]:
    return {"caller": [key.caller for key in keys], "key": [key.key for key in keys]}


_SEND_FIELDS = tuple(item.name for item in fields(Send))
# What the first answer is made from; neither the audience nor the time is part of an answer.
_KEPT_FIELDS = tuple(n for n in _SEND_FIELDS if n not in {"audience", "unresolved", "send_at"})


def _batch(requests: Sequence[IntakeItem]) -> dict[str, Any]:
    rows = [_row(request) for request in requests]
    return {"batch": orjson.dumps(rows).decode(), "count": len(rows)}


def _row(request: IntakeItem) -> dict[str, Any]:
    send, key = request.send, request.key
    # What is None is left out: less text, and PostgreSQL reads it back as NULL.
    row = {name: value for name, value in vars(send).items() if value is not None}
    if request.origin:
        row["origin"] = request.origin
    if key is not None:
        row["caller"], row["key"] = key.caller, key.key
        row["fingerprint"] = key.fingerprint.hex()
        row["kept"] = {name: getattr(send, name) for name in _KEPT_FIELDS}
    return row


def _send(kept: dict[str, Any]) -> Send:
    return Send(
        **{
            **kept,
            "type": TYPES[kept["type"]],
            "content_type": CONTENT_TYPES[kept["content_type"]],
            "unresolved": (),
        }
    )


# Up to which id something can be due: above it are only sends scheduled for later, however many. Not below the
# highest live id and the millisecond after it, where ids are (`take_scheduled_ids`) while the clock, set back,
# catches up. A clock that jumped ahead (CLOCK_TOLERANCE past the worker's) makes nothing due before its time. In a
# SELECT of its own it bounds the index.
_NEWEST_DUE_ID = """(
SELECT greatest(((last_value >> 12) + 2) << 12, message_id_floor(
         CASE WHEN clock_timestamp() > CAST(:now AS timestamptz) + CAST(:tolerance AS interval)
              THEN CAST(:now AS timestamptz) ELSE clock_timestamp() END))
  FROM message_ids)
"""
# What the lane may take. A live send is due at once, also when the clock was set back behind it; but not
# while it rests after a failure. What a disabled app has scheduled is held; the sweep takes it away
# (`held_sends.py`).
_IS_DUE_ROW = f"""
id <= {_NEWEST_DUE_ID}
AND (ring_at <= clock_timestamp() - CAST(:grace AS interval)
     OR (NOT is_scheduled AND attempts + deaths = 0 AND ring_at > clock_timestamp()))
AND NOT (is_scheduled AND NOT is_broadcast AND {is_held("sent_by_app_id")})
"""


def _asked(now: datetime | None, *, grace: timedelta = timedelta(0)) -> dict[str, Any]:
    """The parameters of _IS_DUE_ROW; `now` is the time by this process's clock."""
    return {"now": now or datetime.now(UTC), "tolerance": CLOCK_TOLERANCE, "grace": grace}


# Indexes broadcasts_unfinished, broadcasts_pending, broadcast_chunks_waiting, broadcast_chunks_failing.
# Scheduled sends that are due come into the lane as it drains, so that many of one instant are no reason to
# refuse others; but they are as late as any.
_BACKLOG = text(f"""
SELECT count(*) FILTER (WHERE NOT is_scheduled) AS waiting,
       count(*) FILTER (WHERE is_scheduled AND ring_at <= clock_timestamp()) AS scheduled_due,
       coalesce(extract(epoch FROM clock_timestamp() - min(ring_at)), 0) AS oldest_seconds,
       (SELECT count(*) FROM failed_sends) AS failed,
       (SELECT count(*) FROM unpublished WHERE error IS NOT NULL)
         + (SELECT count(*) FROM outbox WHERE error IS NOT NULL) AS set_aside,
       (SELECT coalesce(sum(drifted), 0) FROM recounts WHERE night = 0) AS drifted,
       (SELECT count(*) FROM broadcasts b WHERE status IN ('PENDING', 'EXPANDING', 'RECALLING')
           AND (status = 'RECALLING' OR NOT {is_held("b.app_id")})) AS broadcasts,
       (SELECT coalesce(sum(size), 0) FROM broadcast_chunks c
         WHERE state = 'waiting' AND NOT {is_held("c.app_id")}) AS people_left,
       (SELECT count(*) FROM broadcast_chunks WHERE error IS NOT NULL AND state <> 'failed')
         + (SELECT count(*) FROM broadcasts WHERE status = 'PENDING' AND error IS NOT NULL)
         AS parts_failing,
       clock_timestamp() AS at,
       (SELECT greatest(0, (last_value - message_id_floor(clock_timestamp())) >> 12) FROM message_ids)
         AS ids_ahead_ms,
       (SELECT extract(epoch FROM clock_timestamp() - on_time_at) FROM turns WHERE name = 'sweep')
         AS sweep_age_seconds
  FROM accepted WHERE id <= {_NEWEST_DUE_ID}
""")  # noqa: S608 (constants)


def backlog(connection: Connection) -> Backlog:
    """How much is waiting to be persisted; what is scheduled for later does not count (primary key)."""
    row = connection.execute(_BACKLOG, _asked(None)).one()
    return Backlog(
        waiting=row.waiting,
        oldest_seconds=max(0.0, float(row.oldest_seconds)),
        failed=row.failed,
        drifted=row.drifted,
        broadcasts=row.broadcasts,
        people_left=row.people_left,
        parts_failing=row.parts_failing,
        set_aside=row.set_aside,
        scheduled_due=row.scheduled_due,
        clock_ahead_seconds=(row.at - datetime.now(UTC)).total_seconds(),
        ids_ahead_seconds=row.ids_ahead_ms / 1000,
        sweep_age_seconds=max(0.0, float(row.sweep_age_seconds or 0.0)),
    )


_STILL_WAITING = text("SELECT id FROM accepted WHERE id = ANY(CAST(:ids AS bigint[]))")


def still_waiting(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of `ids` that are not in a history yet (`Prefer: wait`); by the primary key."""
    return set(connection.execute(_STILL_WAITING, {"ids": list(ids)}).scalars())


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
class Lane:
    """What the new holder of the persist lane finds: a claim left behind, unpublished messages.

    `holder_died`: the claim is that of another process, which ended while PostgreSQL went on.
    """

    is_abandoned: bool
    holder_died: bool
    has_unpublished: bool


def take_lane(connection: Connection, holder: str) -> Lane | None:
    """Become the one holder of the persist lane, for this session; None if another is.

    `holder` names the process. A claim of its own that it finds is one that PostgreSQL kept it from
    finishing: out of room, restarted, too slow.
    """
    row = connection.execute(_TAKE_LANE, {"holder": holder}).one()
    if not row.is_taken:
        return None
    holder_died = row.is_abandoned and row.is_anothers
    return Lane(row.is_abandoned, holder_died, row.has_unpublished)


def leave_lane(connection: Connection) -> None:
    """Stop being the holder; the end of the session does the same."""
    connection.execute(_LEAVE_LANE)


# What was accepted first, or became due first, is persisted first: the primary key, in id order. The batch ends before a row
# that has failed more often than its first. Not waiting for the disk: whatever makes the batch durable
# makes this durable before it.
_CLAIM = text(f"""
WITH due AS (
  SELECT id, attempts + deaths AS attempts FROM accepted
   WHERE {_IS_DUE_ROW}
   ORDER BY id LIMIT :limit
), ranked AS (
  SELECT id, row_number() OVER w AS place, first_value(attempts) OVER w AS level,
         max(attempts) OVER w AS worst
    FROM due WINDOW w AS (ORDER BY id)
), batch AS (
  SELECT coalesce(array_agg(id ORDER BY id), '{{}}') AS ids FROM ranked
   WHERE worst <= level AND place <= greatest(1, :limit / power(8, level))
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
    for `publishing`: persisted, and perhaps not on the bus yet. If the holder dies, `recover` looks at
    exactly the new ones. Rows that failed before, or were in hand when a holder died, come in batches that
    shrink eightfold each time, so that a row that kills its worker ends up alone. `now`: the time by this
    process's clock.
    """
    asked = _asked(now) | {"limit": limit, "publishing": list(publishing)}
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


def recover(connection: Connection, *, holder_died: bool, max_attempts: int) -> list[int]:
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


def count_failure(connection: Connection, id: int, *, error: str, max_attempts: int) -> bool:
    """Note that persisting `id` alone raised `error`, to be tried again later; True when it is dead now.

    The claim forgets it: its holder is alive and goes on with the others. Only for the holder of the lane.
    """
    attempts = connection.execute(_COUNT_FAILURE, {"id": id, "error": error}).scalar()
    if attempts is None or attempts < max_attempts:
        return False
    move_to_failed(connection, [id])
    return True


_BURY = text("""
WITH dead AS (DELETE FROM accepted WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING *)
INSERT INTO failed_sends (id, payload, error, attempts)
SELECT id, to_jsonb(dead), coalesce(error, ''), attempts FROM dead
""")


def move_to_failed(connection: Connection, ids: Collection[int]) -> None:
    """Move sends that cannot be persisted to `failed_sends`, whole."""
    if ids:
        connection.execute(_BURY, {"ids": list(ids)})


# In id order, along the primary key, as the lane takes them: a scan of the table, which EXISTS was
# planned as, walks through everything that was persisted and is not vacuumed yet, for every batch.
# (Not EXISTS, whose ORDER BY PostgreSQL drops.)
_ONE_IS_DUE = f"""(
SELECT id FROM accepted
 WHERE {_IS_DUE_ROW}
 ORDER BY id LIMIT 1) IS NOT NULL
"""  # noqa: S608 (constants)
_IS_WAITING = text(f"SELECT {_ONE_IS_DUE} OR (:outbox AND {ONE_TO_PUBLISH})")


def is_waiting(connection: Connection, *, outbox: bool) -> bool:
    """Whether `claim` would find something to persist or, if it is asked for, in the outbox."""
    asked = _asked(None) | {"outbox": outbox}
    return bool(connection.execute(_IS_WAITING, asked).scalar_one())


# What is set aside rests between its tries. A table that is empty but for troubles.
_ONE_UNPUBLISHED = "EXISTS (SELECT 1 FROM unpublished WHERE try_at <= clock_timestamp())"
_IS_DUE = text(f"SELECT {_ONE_UNPUBLISHED} OR {ONE_TO_PUBLISH} OR {_ONE_IS_DUE}")


def is_due(connection: Connection) -> bool:
    """Whether there is something to persist or to publish."""
    return bool(connection.execute(_IS_DUE, _asked(None)).scalar_one())


_OVERDUE = text(f"""
SELECT {_ONE_UNPUBLISHED} OR {ONE_OVERDUE}
    OR EXISTS (SELECT 1 FROM persist_claims
                WHERE ids <> '{{}}' AND claimed_at <= clock_timestamp() - :grace)
    OR {_ONE_IS_DUE}
""")  # noqa: S608 (a constant)


def is_overdue(connection: Connection, *, grace: timedelta) -> bool:
    """Whether something has waited for `grace` past its time: its ring may have been lost."""
    return bool(connection.execute(_OVERDUE, _asked(None, grace=grace)).scalar_one())


_SCHEDULED_DUE = text(f"""
SELECT EXISTS (SELECT 1 FROM accepted
                WHERE is_scheduled AND ring_at <= (SELECT clock_timestamp()) AND {_IS_DUE_ROW})
""")  # noqa: S608 (constants)


def is_scheduled_due(connection: Connection) -> bool:
    """Whether a scheduled send is due, for which nobody rang when it became so (index accepted_scheduled)."""
    return bool(connection.execute(_SCHEDULED_DUE, _asked(None)).scalar_one())


# From where the slice before ended: what that one deleted is still in the index, and would be looked at again.
_PURGE_OLD_KEYS = text("""
WITH old AS MATERIALIZED (
  SELECT ctid, created_at FROM idempotency_keys
   WHERE created_at >= coalesce(CAST(:after AS timestamptz), '-infinity')
     AND created_at < least(clock_timestamp(), :latest) - CAST(:lifetime AS interval)
   ORDER BY created_at LIMIT :slice FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (SELECT ctid FROM old))
)
SELECT max(created_at) AS last, count(*) AS purged FROM old
""")


def purge_keys(
    connection: Connection, *, slice: int, after: datetime | None = None
) -> datetime | None:
    """Forget some idempotency keys past their day (index idempotency_keys_created_at).

    Returns where to go on (`after`), None when no more are left.
    """
    latest = datetime.now(UTC) + CLOCK_TOLERANCE
    asked = {"after": after, "latest": latest, "lifetime": KEY_LIFETIME, "slice": slice}
    row = connection.execute(_PURGE_OLD_KEYS, asked).one()
    last: datetime | None = row.last if row.purged >= slice else None
    return last


Word = TypeVar("Word", MessageType, ContentType)


class _Words(dict[str, Word]):
    """The words of an enum, by value; one of a newer version is an UnknownWord, and no error."""

    def __missing__(self, word: str) -> Word:
        return cast("Word", UnknownWord(word))


# By value: calling an enum class takes far longer, and there are two a message.
TYPES = _Words({kind.value: kind for kind in MessageType})
CONTENT_TYPES = _Words({kind.value: kind for kind in ContentType})


def message_of(row: Row[Any]) -> Message:
    """The message in a row of `accepted`, or of `messages` with its `app_name`."""
    created_at: datetime = row.created_at
    return Message(
        id=row.id,
        sender_id=row.sender_id,
        receiver_id=row.receiver_id,
        app_id=row.app_id,
        app_name=row.app_name,
        sent_by_app_id=row.sent_by_app_id,
        type=TYPES[row.type],
        content_type=CONTENT_TYPES[row.content_type],
        title=row.title,
        content=row.content,
        action_url=row.action_url,
        action_text=row.action_text,
        is_broadcast=row.is_broadcast,
        created_at=created_at,
        filename=row.filename,
    )
