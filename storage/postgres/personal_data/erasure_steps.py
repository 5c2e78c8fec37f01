"""The steps of an erasure, a slice at a time, in short transactions; upkeep takes them (`workers/erasures.py`).

Where each erasure stands is in its row, so that it may be interrupted, repeated and done by two at once. Everything that
can still come for a person who was just erased comes within a minute: after that the first steps are done again, and
then nothing of theirs is left to come (docs/decisions/0035-erasure.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from storage.model.caller import Person, UserCaller
from storage.postgres.message_rows import personal_condition, receiver_peer_expression

# Ingest believes that somebody is active for some seconds, and a request or a transaction may take half a minute.
SETTLED_AFTER = timedelta(seconds=60)
_FIRST = ("keys", "chunks", "accepted", "held", "failed", "deliveries", "reads", "events")
_AGAIN = " again"
# In this order. Messages come after the deliveries are gone for good: then it is known which of them nobody has.
STEPS = (*_FIRST, "wait", *(f"{step}{_AGAIN}" for step in _FIRST), "messages", "media")


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A slice of the erasure of `user_id` is done. `unsent_media`: keys of objects that are to be deleted now."""

    user_id: int
    step: str
    unsent_media: tuple[str, ...] = ()


class _Slice(NamedTuple):
    """What one slice did: how much of `counted` it erased, and where it stands in the walk along ids (None: at the end)."""

    erased: int
    counted: str = ""
    next_id: int | None = None
    goes_back: bool = False


_NEXT = text("""
SELECT * FROM erasures WHERE finished_at IS NULL AND try_at <= clock_timestamp()
 ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
# Each has its turn: the one that was served comes last.
_MOVE = text("""
UPDATE erasures SET step = :step, next_id = :next_id, error = NULL, try_at = clock_timestamp(),
       deliveries = deliveries + :deliveries, sends = sends + :sends, messages = messages + :messages
 WHERE user_id = :id
""")
_WAIT = text("""
UPDATE erasures SET step = 'wait', next_id = 0,
       try_at = CASE WHEN :goes_back THEN clock_timestamp() ELSE requested_at END + :settled
 WHERE user_id = :id
""")
_FINISH = text("""
UPDATE erasures SET step = 'done', error = NULL, finished_at = clock_timestamp() WHERE user_id = :id
""")


def take_step(connection: Connection, *, slice: int) -> StepTaken | None:
    """Erase the next slice, of the person whose turn it is; None: nothing can be done now.

    After it, the caller deletes `unsent_media` in the media store and then calls `forget_media`.
    """
    erasure = connection.execute(_NEXT).first()
    if erasure is None:
        return None
    if erasure.step == "media":
        return _find_unsent_media(connection, erasure.user_id, slice=slice)
    if erasure.step == "wait":
        _move(connection, erasure, _Slice(0))
    else:
        do = _DO[erasure.step.removesuffix(_AGAIN)]
        _move(connection, erasure, do(connection, erasure, slice))
    return StepTaken(erasure.user_id, erasure.step)


def _move(connection: Connection, erasure: Row[Any], done: _Slice) -> None:
    has_more = done.next_id is not None
    step = erasure.step if has_more else STEPS[STEPS.index(erasure.step) + 1]
    counts = {name: done.erased if name == done.counted else 0 for name in _COUNTED}
    asked = {"id": erasure.user_id, "step": step, "next_id": done.next_id or 0} | counts
    connection.execute(_MOVE, asked)
    if step == "wait" or done.goes_back:
        connection.execute(
            _WAIT,
            {"id": erasure.user_id, "goes_back": done.goes_back, "settled": SETTLED_AFTER},
        )


_COUNTED = ("deliveries", "sends", "messages")

# By the prefix of the primary key. Here and below what is deleted is an array: PostgreSQL looks each up by its key, and does
# not join a set of which it cannot know how small it is. An account that an import made in the last moment goes too.
_KEYS = text("""
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM idempotency_keys WHERE caller = :caller LIMIT :slice))
""")
_MAPPINGS = text("DELETE FROM mappings WHERE user_id = :id")


def _erase_keys(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"caller": _caller(erasure.user_id), "slice": slice}
    gone = connection.execute(_KEYS, asked).rowcount
    connection.execute(_MAPPINGS, {"id": erasure.user_id})
    return _Slice(0, next_id=0 if gone == slice else None)


def _caller(user_id: int) -> str:
    """The person's name among idempotency keys, and as the owner of uploads."""
    return UserCaller(Person(user_id, "", "", "", "", "", is_deleted=True)).key


# Of a broadcast that is under way the person is in one chunk at most. `total` goes down with the chunk, so that the
# broadcast is DONE when everyone else has it. A chunk is locked before its broadcast, as in the lanes. What was
# delivered still counts in `total`. Index broadcast_chunks_waiting.
_CHUNKS = text("""
WITH hit AS MATERIALIZED (
  SELECT broadcast_id, number FROM broadcast_chunks
   WHERE state = 'waiting' AND first_user_id <= :id AND last_user_id >= :id AND :id = ANY(user_ids)
   ORDER BY app_id, broadcast_id, number FOR UPDATE
), cut AS (
  UPDATE broadcast_chunks c
     SET user_ids = array_remove(c.user_ids, CAST(:id AS bigint)), size = c.size - 1,
         state = CASE WHEN c.size = 1 THEN 'cancelled' ELSE c.state END
    FROM hit WHERE (c.broadcast_id, c.number) = (hit.broadcast_id, hit.number)
  RETURNING c.broadcast_id
)
UPDATE broadcasts b SET total = b.total - 1 FROM cut WHERE b.id = cut.broadcast_id
""")


def _leave_chunks(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:  # noqa: ARG001 (all at once: a person is in few)
    connection.execute(_CHUNKS, {"id": erasure.user_id})
    return _Slice(0)


# A walk along the primary key: nobody else asks for the sends of one person, so there is no index. What others send to the
# person is dropped, and what the person has scheduled. What they sent a moment ago goes to the others.
_ACCEPTED = text("""
WITH part AS MATERIALIZED (
  SELECT id, sender_id, receiver_id, is_scheduled FROM accepted WHERE id > :after ORDER BY id LIMIT :slice
), gone AS (
  DELETE FROM accepted WHERE id = ANY (ARRAY(
    SELECT id FROM part WHERE receiver_id = :id OR sender_id = :id AND is_scheduled))
  RETURNING id
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM part) AS seen,
       (SELECT max(id) FROM part) AS last,
       EXISTS (SELECT FROM part WHERE sender_id = :id AND receiver_id IS DISTINCT FROM :id AND NOT is_scheduled)
         AS has_left
""")


def _drop_accepted(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": slice}
    row = connection.execute(_ACCEPTED, asked).one()
    # What waits (a paused queue) comes into the person's own history when it is delivered: that has to be seen first.
    goes_back = row.has_left and erasure.step.endswith(_AGAIN)
    return _Slice(row.gone, "sends", _find_next(row, slice), goes_back)


# As above; nothing of these was delivered, so what the person sent is dropped too.
_PUT_ASIDE = """
WITH part AS MATERIALIZED (
  SELECT id, payload ->> 'sender_id' AS sender, payload ->> 'receiver_id' AS receiver,
         CAST(payload ->> 'is_broadcast' AS boolean) AS is_broadcast
    FROM {table} WHERE id > :after ORDER BY id LIMIT :slice
), gone AS (
  DELETE FROM {table} WHERE id = ANY (ARRAY(
    SELECT id FROM part WHERE NOT is_broadcast AND CAST(:id AS text) IN (sender, receiver)))
  RETURNING id
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM part) AS seen,
       (SELECT max(id) FROM part) AS last
"""
_HELD = text(_PUT_ASIDE.format(table="held_sends"))
_FAILED = text(_PUT_ASIDE.format(table="failed_sends"))


def _drop_held(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": slice}
    row = connection.execute(_HELD, asked).one()
    return _Slice(row.gone, "sends", _find_next(row, slice))


def _drop_failed(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": slice}
    row = connection.execute(_FAILED, asked).one()
    return _Slice(row.gone, "sends", _find_next(row, slice))


def _find_next(row: Row[Any], slice: int) -> int | None:
    return int(row.last) if row.seen == slice else None


# One conversation after the other, its oldest messages first, so that its last message and its counter stay right until
# it is gone itself. The conversation is locked before its deliveries are read, as all writers do: what is just being
# delivered is found by the next slice. Along the primary keys.
_CONVERSATION = text("""
SELECT peer_id FROM conversations WHERE user_id = :id ORDER BY peer_id LIMIT 1 FOR UPDATE
""")
_DELIVERIES = text("""
WITH gone AS (
  DELETE FROM deliveries
   WHERE user_id = :id AND peer_id = :peer_id AND message_id = ANY (ARRAY(
     SELECT message_id FROM deliveries WHERE user_id = :id AND peer_id = :peer_id
      ORDER BY message_id LIMIT :slice))
  RETURNING read_at
), counted AS (
  SELECT count(*) AS gone, count(*) FILTER (WHERE read_at IS NULL) AS unread FROM gone
), emptied AS (
  DELETE FROM conversations USING counted
   WHERE user_id = :id AND peer_id = :peer_id AND counted.gone < :slice
), moved AS (
  UPDATE conversations SET unread_count = unread_count - counted.unread FROM counted
   WHERE user_id = :id AND peer_id = :peer_id AND counted.gone = :slice
)
SELECT gone FROM counted
""")
# Without a conversation: what retention left.
_STRAY = text("""
DELETE FROM deliveries WHERE user_id = :id AND (peer_id, message_id) IN (
  SELECT peer_id, message_id FROM deliveries WHERE user_id = :id LIMIT :slice)
""")


_TODOS = text("DELETE FROM todos WHERE user_id = :id")


def _erase_deliveries(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"id": erasure.user_id, "slice": slice}
    peer_id = connection.execute(_CONVERSATION, asked).scalar()
    if peer_id is not None:
        gone = connection.execute(_DELIVERIES, asked | {"peer_id": peer_id}).scalar_one()
        return _Slice(int(gone), "deliveries", next_id=0)
    gone = connection.execute(_STRAY, asked).rowcount
    if not gone:
        connection.execute(_TODOS, asked)
    return _Slice(gone, "deliveries", next_id=0 if gone else None)


# What apps are still to be told of the person's reads: raw ones first, since they become events. A walk along the numbers, of
# all apps together, each along the primary key.
_READS = text("""
WITH part AS MATERIALIZED (
  SELECT r.* FROM apps a CROSS JOIN LATERAL (
    SELECT app_id, number, user_id FROM app_reads
     WHERE app_id = a.id AND number > :after ORDER BY number LIMIT :slice) r
   ORDER BY r.number LIMIT :slice
), gone AS (
  DELETE FROM app_reads r USING part
   WHERE part.user_id = :id AND r.app_id = part.app_id AND r.number = part.number
)
SELECT (SELECT count(*) FROM part) AS seen, (SELECT max(number) FROM part) AS last
""")
# An event keeps its number, and the reads of others; perhaps none are left.
_EVENTS = text("""
WITH part AS MATERIALIZED (
  SELECT number, type, data FROM app_events WHERE number > :after ORDER BY number LIMIT :slice
), cut AS (
  UPDATE app_events e SET data = jsonb_build_object('reads', coalesce((
      SELECT jsonb_agg(r.one ORDER BY r.place)
        FROM jsonb_array_elements(e.data -> 'reads') WITH ORDINALITY AS r(one, place)
       WHERE CAST(r.one ->> 'user_id' AS bigint) <> :id), '[]'))
   WHERE e.number = ANY (ARRAY(
     SELECT number FROM part WHERE type = 'message.read'
        AND data -> 'reads' @> jsonb_build_array(jsonb_build_object('user_id', CAST(:id AS bigint)))))
)
SELECT (SELECT count(*) FROM part) AS seen, (SELECT max(number) FROM part) AS last
""")
# An event of reads is some tens of KB.
_ROWS_IN_PLACE_OF_AN_EVENT = 10


def _erase_reads(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": slice}
    return _Slice(0, next_id=_find_next(connection.execute(_READS, asked).one(), slice))


def _cut_events(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    size = max(1, slice // _ROWS_IN_PLACE_OF_AN_EVENT)
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": size}
    return _Slice(0, next_id=_find_next(connection.execute(_EVENTS, asked).one(), size))


# A walk along all messages: there is no index of senders and receivers. Copies are asked for one by one, each by its
# primary key, and not by EXISTS, for which PostgreSQL may read all deliveries into a table of its own. A message that nobody has a copy of goes: what an
# app sent to the person alone, what they took back, and what two erased people wrote to each other. Uploads in
# messages of theirs that stay are marked.
_MESSAGES = text(f"""
WITH part AS MATERIALIZED (
  SELECT id, type, sender_id, receiver_id, app_id, is_broadcast,
         CASE WHEN sender_id = :id AND content_type IN ('IMAGE', 'VIDEO', 'FILE') THEN content END AS key
    FROM messages WHERE id > :after ORDER BY id LIMIT :slice
), theirs AS MATERIALIZED (
  SELECT m.id, m.key,
         (SELECT 1 FROM deliveries d
           WHERE d.user_id = m.receiver_id AND d.message_id = m.id
             AND d.peer_id = {receiver_peer_expression("m")} LIMIT 1) IS NOT NULL
         OR {personal_condition("m")} AND (
           SELECT 1 FROM deliveries d
            WHERE d.user_id = m.sender_id AND d.peer_id = m.receiver_id AND d.message_id = m.id
            LIMIT 1) IS NOT NULL AS has_reader
    FROM part m WHERE NOT m.is_broadcast AND (m.sender_id = :id OR m.receiver_id = :id)
), gone AS (
  DELETE FROM messages WHERE id = ANY (ARRAY(SELECT id FROM theirs WHERE NOT has_reader)) RETURNING id
), kept AS (
  UPDATE media_objects SET kept_at = clock_timestamp()
   WHERE key = ANY (ARRAY(SELECT key FROM theirs WHERE has_reader AND key IS NOT NULL)) AND owner = :caller
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM part) AS seen,
       (SELECT max(id) FROM part) AS last
""")  # noqa: S608 (column lists of `message_rows`)
# Most of the messages that are looked at are other people's, so a slice of them is larger.
_MESSAGES_AT_ONCE = 10


def _erase_messages(connection: Connection, erasure: Row[Any], slice: int) -> _Slice:
    size = slice * _MESSAGES_AT_ONCE
    asked = {"id": erasure.user_id, "after": erasure.next_id, "slice": size}
    row = connection.execute(_MESSAGES, asked | {"caller": _caller(erasure.user_id)}).one()
    return _Slice(row.gone, "messages", _find_next(row, size))


_UNSENT = text("""
SELECT key FROM media_objects WHERE owner = :caller AND kept_at IS NULL ORDER BY key LIMIT :slice
""")
_FORGET_MEDIA = text("""
WITH gone AS (
  DELETE FROM media_objects WHERE key = ANY(CAST(:keys AS text[])) AND owner = :caller RETURNING key
)
UPDATE erasures SET media = media + (SELECT count(*) FROM gone), error = NULL, try_at = clock_timestamp()
 WHERE user_id = :id
""")
_RECORD_FAILURE = text("""
UPDATE erasures SET error = :error, try_at = clock_timestamp() + interval '1 minute' WHERE user_id = :id
""")


def _find_unsent_media(connection: Connection, user_id: int, *, slice: int) -> StepTaken:
    asked = {"caller": _caller(user_id), "slice": min(slice, 100)}
    keys = tuple(connection.execute(_UNSENT, asked).scalars())
    if not keys:
        connection.execute(_FINISH, {"id": user_id})
    return StepTaken(user_id, "media", keys)


def forget_media(connection: Connection, taken: StepTaken) -> None:
    """Note that the objects of `taken.unsent_media` are not in the media store any more. Safe to repeat."""
    asked = {
        "id": taken.user_id,
        "keys": list(taken.unsent_media),
        "caller": _caller(taken.user_id),
    }
    connection.execute(_FORGET_MEDIA, asked)


def record_failure(connection: Connection, user_id: int, *, error: str) -> None:
    """Note why the erasure does not go on now; it is tried again after a minute, and others go on meanwhile."""
    connection.execute(_RECORD_FAILURE, {"id": user_id, "error": error})


_DO: dict[str, Callable[[Connection, Row[Any], int], _Slice]] = {
    "keys": _erase_keys,
    "chunks": _leave_chunks,
    "accepted": _drop_accepted,
    "held": _drop_held,
    "failed": _drop_failed,
    "deliveries": _erase_deliveries,
    "reads": _erase_reads,
    "events": _cut_events,
    "messages": _erase_messages,
}
