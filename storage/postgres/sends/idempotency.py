"""Idempotency keys: what was answered to a key before, and forgetting it after a day (docs/contract.md §2).

Rows are written by `intake.accept`, in the statement that accepts the send; a batch's own key is `batch_keys.py`'s.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.errors import CallerError, invalid
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.message_rows import CONTENT_TYPES, TYPES
from storage.postgres.sends.clock_tolerance import latest_plausible

# Contract §2: a key is remembered for a day.
KEY_LIFETIME = timedelta(hours=24)


def find_first_answers(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> list[Accepted | CallerError | None]:
    """What requests with these keys were answered before, in their order; None if none was, in the last day."""
    forget_expired(connection, keys)
    before = find_first_uses(connection, keys)
    found = ((key, before.get((key.caller, key.key))) for key in keys)
    return [None if first is None else replay_answer(key, first) for key, first in found]


def replay_answer(key: IdempotencyKey, first: Row[Any]) -> Accepted | CallerError:
    """What the first use of the key, a row of `first_uses`, says to one more."""
    if bytes(first.fingerprint) != key.fingerprint:
        return refuse_other_body()
    return Accepted(first.message_id, first.created_at, _read_send(first.send), is_replay=True)


def refuse_other_body() -> CallerError:
    """The refusal of a key whose first use had another body."""
    return invalid("Idempotency-Key", "This key was used before with another body.", where="header")


# Neither the audience nor the time is part of an answer.
_KEPT_FIELDS = tuple(
    field.name for field in fields(Send) if field.name not in {"audience", "unresolved", "send_at"}
)


def keep_send(send: Send) -> dict[str, Any]:
    """What is kept of a send with its key, as a JSON object: what the first answer is made from."""
    return {name: getattr(send, name) for name in _KEPT_FIELDS}


def _read_send(kept: dict[str, Any]) -> Send:
    return Send(
        **{
            **kept,
            "type": TYPES[kept["type"]],
            "content_type": CONTENT_TYPES[kept["content_type"]],
            "unresolved": (),
        }
    )


# By the primary key. Only past its lifetime, so that of two at once one purges and both go on; and not by
# the word of a clock that jumped ahead: the key's next use would be a second send.
_PURGE_KEYS = text("""
DELETE FROM idempotency_keys k
 USING unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key)
 WHERE (k.caller, k.key) = (u.caller, u.key)
   AND k.created_at < least(clock_timestamp(), :latest) - CAST(:lifetime AS interval)
""")


def forget_expired(
    connection: Connection, keys: Sequence[IdempotencyKey], *, now: datetime | None = None
) -> None:
    """Forget those of `keys` that were used more than a day ago, so that they are new again.

    `now` as in `accept`: a clock of PostgreSQL's that jumped ahead makes no key old.
    """
    asked = {"lifetime": KEY_LIFETIME, "latest": latest_plausible(now)}
    connection.execute(_PURGE_KEYS, _key_columns(keys) | asked)


_FIRST_USES = text("""
SELECT k.caller, k.key, k.fingerprint, k.message_id, k.created_at, k.send
  FROM idempotency_keys k
  JOIN unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key) USING (caller, key)
""")


def find_first_uses(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> dict[tuple[str, str], Row[Any]]:
    """The rows of those of `keys` that have been used, by caller and key. By the primary key."""
    rows = connection.execute(_FIRST_USES, _key_columns(keys))
    return {(row.caller, row.key): row for row in rows}


def _key_columns(keys: Sequence[IdempotencyKey]) -> dict[str, Any]:
    return {"caller": [key.caller for key in keys], "key": [key.key for key in keys]}


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
    latest = latest_plausible()
    asked = {"after": after, "latest": latest, "lifetime": KEY_LIFETIME, "slice": slice}
    row = connection.execute(_PURGE_OLD_KEYS, asked).one()
    last: datetime | None = row.last if row.purged >= slice else None
    return last
