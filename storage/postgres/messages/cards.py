"""Cards: changing messages after they were sent, wherever they are on their way (contract §8).

Ingest calls this. Of a broadcast, the broadcast lanes tell everyone who has it (`broadcasts/changes.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from storage.model.conversation import make_deliveries
from storage.model.event import MessageUpdated
from storage.model.message import FIRST_VERSION, CardState, Message
from storage.model.send import IdempotencyKey
from storage.postgres.message_rows import (
    CONTENT_TYPES,
    TYPES,
    receiver_peer_expression,
)
from storage.postgres.messages import lookup
from storage.postgres.messages.lookup import FoundMessage
from storage.postgres.sends import idempotency
from storage.valkey.event_json import encode_for_outbox

# What a change may touch; the rest of a message stays as it was sent.
CHANGEABLE = (
    "title",
    "content",
    "action_url",
    "action_text",
    "filename",
    "state",
    "state_text",
    "version",
)
_SET = ", ".join(f"{name} = c.{name}" for name in CHANGEABLE)
_FORM = ", ".join(f"'{name}', c.{name}" for name in CHANGEABLE)


@dataclass(frozen=True, slots=True)
class CardChange:
    """A message in its new form, one version higher than the one it was made from; `content` as clients are shown it."""

    message: Message
    content: str


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """What a change was answered: the message in its new form, and when it was read; or how many were changed."""

    message: Message | None
    read_at: datetime | None
    updated_count: int


@dataclass(frozen=True, slots=True)
class ChangeStamp:
    """What is kept with a change: its answer, for the key if there is one, and whose change it is.

    `changed_by` is `Caller.key` or an operator's name; `request_id` is "" if there is none.
    """

    answer: ChangeAnswer
    key: IdempotencyKey | None
    changed_by: str
    request_id: str = ""


class HasMovedOn(Exception):
    """What was looked at is no more what it was: changed, recalled or on its way. Nothing of the transaction stands."""


class KeyIsUsed(Exception):
    """Another request with the key was done first. Nothing of the transaction stands."""


def find_own(connection: Connection, ids: Sequence[int], app_id: int) -> list[FoundMessage]:
    """Those of the messages that there are and that the app has sent."""
    found = lookup.find_messages(connection, ids)
    return [one for one in found if one.message.sent_by_app_id == app_id]


# A message is in exactly one of the four tables, or on its way from one to the next: then it is in none of them for this
# statement, or has gone on, and is not changed. A row that somebody else just changes is looked at again when they are
# done, so that of two changes of one version one is made. Rows are locked in the order of ids, as every change does. What is
# in `messages` was delivered: its people are told by the outbox, in which their events follow the message's own
# (docs/decisions/0014-the-outbox.md).
_CHANGE = text(f"""
WITH changes AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS c(
    id bigint, title text, content text, action_url text, action_text text, filename text,
    state text, state_text text, version integer, event jsonb)
), locked AS MATERIALIZED (
  SELECT m.id FROM messages m JOIN changes c ON c.id = m.id ORDER BY m.id FOR NO KEY UPDATE OF m
), waiting AS (
  UPDATE accepted a SET {_SET} FROM changes c
   WHERE a.id = c.id AND coalesce(a.version, {FIRST_VERSION}) = c.version - 1
  RETURNING a.id
), held AS (
  UPDATE held_sends h SET payload = h.payload || jsonb_build_object({_FORM}) FROM changes c
   WHERE h.id = c.id
     AND coalesce(CAST(h.payload ->> 'version' AS integer), {FIRST_VERSION}) = c.version - 1
  RETURNING h.id
), failed AS (
  UPDATE failed_sends f SET payload = f.payload || jsonb_build_object({_FORM}) FROM changes c
   WHERE f.id = c.id
     AND coalesce(CAST(f.payload ->> 'version' AS integer), {FIRST_VERSION}) = c.version - 1
  RETURNING f.id
), delivered AS (
  UPDATE messages m SET {_SET} FROM changes c
   WHERE m.id = c.id AND m.id IN (SELECT id FROM locked) AND m.recalled_at IS NULL
     AND coalesce(m.version, {FIRST_VERSION}) = c.version - 1
  RETURNING m.id, m.is_broadcast, m.receiver_id, {receiver_peer_expression("m")} AS peer_id,
            m.state, m.version
), new_todos AS (
  INSERT INTO todos (message_id, user_id, is_open)
  SELECT m.id, d.user_id, m.state = '{CardState.PENDING}'
    FROM delivered m JOIN deliveries d
      ON d.user_id = m.receiver_id AND d.peer_id = m.peer_id AND d.message_id = m.id
   WHERE NOT m.is_broadcast AND m.state IS NOT NULL
   ORDER BY m.id
  ON CONFLICT (message_id, user_id) DO UPDATE SET is_open = excluded.is_open
), told AS (
  INSERT INTO outbox (event)
  SELECT c.event FROM delivered m JOIN changes c USING (id) WHERE NOT m.is_broadcast ORDER BY id
), lists AS (
  UPDATE broadcasts b SET version = m.version FROM delivered m WHERE b.id = m.id AND m.is_broadcast
), changed AS MATERIALIZED (
  SELECT id FROM waiting UNION ALL SELECT id FROM held UNION ALL SELECT id FROM failed
   UNION ALL SELECT id FROM delivered
)
INSERT INTO card_versions (message_id, version, changed_by, request_id)
SELECT id, version, :changed_by, :request_id FROM changed JOIN changes USING (id)
""")  # noqa: S608 (column lists, and the peer's rule)
# In one statement: each may be as long as a message, twice, and other callers wait while it is written down.
_AT_ONCE = 25


def change_all(connection: Connection, changes: Sequence[CardChange], stamp: ChangeStamp) -> None:
    """Give messages their new form, all of them, in the caller's transaction.

    Raises HasMovedOn or KeyIsUsed, which roll it back: then they are to be looked at again. With the new form of what was
    delivered, its people's to-dos move, and the event for them is in the outbox. What is not delivered yet is delivered
    in this form only.
    """
    if stamp.key is not None and not _keep_answer(connection, stamp.key, stamp.answer):
        raise KeyIsUsed
    in_order = sorted(changes, key=lambda one: one.message.id)
    for first in range(0, len(in_order), _AT_ONCE):
        some = in_order[first : first + _AT_ONCE]
        asked = {
            "changes": orjson.dumps([_write_change(one) for one in some]).decode(),
            "changed_by": stamp.changed_by,
            "request_id": stamp.request_id or None,
        }
        if connection.execute(_CHANGE, asked).rowcount != len(some):
            raise HasMovedOn


def _write_change(change: CardChange) -> dict[str, Any]:
    message = change.message
    row: dict[str, Any] = {name: getattr(message, name) for name in ("id", *CHANGEABLE)}
    if not message.is_broadcast:
        recipients = tuple((one.peer_id, (one.user_id,)) for one in make_deliveries(message))
        row["event"] = orjson.Fragment(
            encode_for_outbox(MessageUpdated(message, change.content, recipients))
        )
    return row


@dataclass(frozen=True, slots=True)
class CardVersion:
    """Who made a version of a card, and when; `request_id` is "" if it is not known."""

    version: int
    changed_at: datetime
    changed_by: str
    request_id: str


# By the primary key.
_VERSIONS = text("""
SELECT version, changed_at, changed_by, coalesce(request_id, '') FROM card_versions
 WHERE message_id = :id ORDER BY version DESC LIMIT :limit
""")


def list_versions(connection: Connection, message_id: int, *, limit: int) -> list[CardVersion]:
    """The newest `limit` changes of a message, newest first; none if it never changed."""
    rows = connection.execute(_VERSIONS, {"id": message_id, "limit": limit})
    return [CardVersion(*row) for row in rows]


# By the primary key.
_BY_REF = text("""
SELECT message_id FROM card_refs WHERE app_id = :app_id AND ref = :ref ORDER BY message_id LIMIT :limit
""")


def list_by_ref(connection: Connection, app_id: int, *, ref: str, limit: int) -> list[int]:
    """The ids of up to `limit` messages that an app sent with this `ref`, ascending, wherever they are on their way."""
    asked = {"app_id": app_id, "ref": ref, "limit": limit}
    return list(connection.execute(_BY_REF, asked).scalars())


_KEEP = text("""
INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, send)
VALUES (:caller, :key, :fingerprint, :message_id, CAST(:answer AS jsonb))
ON CONFLICT DO NOTHING
""")


def _keep_answer(connection: Connection, key: IdempotencyKey, answer: ChangeAnswer) -> bool:
    """Keep the answer to a change with its key; False: the key was used meanwhile.

    If another request with the key is under way, this waits for its end.
    """
    message = answer.message
    kept = {
        "message": None if message is None else message._asdict(),
        "read_at": answer.read_at,
        "updated_count": answer.updated_count,
    }
    asked = {
        "caller": key.caller,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "message_id": 0 if message is None else message.id,
        "answer": orjson.dumps(kept).decode(),
    }
    return bool(connection.execute(_KEEP, asked).rowcount)


def find_kept_answer(connection: Connection, key: IdempotencyKey) -> ChangeAnswer | None:
    """What a change with this key was answered in the last day; None if the key is new.

    Raises Invalid for a key of another request.
    """
    idempotency.forget_expired(connection, [key])
    first = idempotency.find_first_uses(connection, [key]).get((key.caller, key.key))
    if first is None:
        return None
    if first.fingerprint != key.fingerprint:
        raise idempotency.refuse_other_body()
    kept = first.kept
    read_at = None if kept["read_at"] is None else datetime.fromisoformat(kept["read_at"])
    return ChangeAnswer(_read_message(kept["message"]), read_at, kept["updated_count"])


def _read_message(kept: dict[str, Any] | None) -> Message | None:
    if kept is None:
        return None
    return Message(
        **kept
        | {
            "type": TYPES[kept["type"]],
            "content_type": CONTENT_TYPES[kept["content_type"]],
            "created_at": datetime.fromisoformat(kept["created_at"]),
        }
    )
