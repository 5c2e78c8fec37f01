"""Idempotency keys: what was answered to a key before, and how it is forgotten after a day (contract §2).

`intake.accept` writes the rows, in the statement that accepts the send. The key of a whole batch is in `batch_keys.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, invalid
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.message_rows import CONTENT_TYPES, TYPES
from storage.postgres.sends.clock_tolerance import latest_plausible

# A key is remembered for a day (contract §2).
KEY_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FirstUse:
    """The row of a key that was used: the digest of its body, the message's id and instant.

    `kept` is what `keep_send` made of the send; for the key of a batch, the answers to its refused entries by place.
    """

    fingerprint: bytes
    message_id: int
    created_at: datetime
    kept: dict[str, Any]


def find_first_answers(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> list[Accepted | CallerError | None]:
    """What was answered to these keys in the last day, in their order; None for a key that is new.

    A key that was used for another body gets a CallerError.
    """
    forget_expired(connection, keys)
    before = find_first_uses(connection, keys)
    found = ((key, before.get((key.caller, key.key))) for key in keys)
    return [None if first is None else replay_answer(key, first) for key, first in found]


def replay_answer(key: IdempotencyKey, first: FirstUse) -> Accepted | CallerError:
    """The first answer again, for one more request with `key`; a CallerError if its body is another."""
    if first.fingerprint != key.fingerprint:
        return refuse_other_body()
    return Accepted(first.message_id, first.created_at, _read_send(first.kept), is_replay=True)


def refuse_other_body() -> CallerError:
    """The CallerError for a key whose first use had another body."""
    return invalid(
        "Idempotency-Key",
        "This key was used before with another body.",
        where="header",
        code=ErrorCode.KEY_REUSED,
    )


# An answer shows neither the audience nor the time that was asked for.
_KEPT_FIELDS = tuple(
    field.name for field in fields(Send) if field.name not in {"audience", "unresolved", "send_at"}
)


def keep_send(send: Send) -> dict[str, Any]:
    """What is stored of a send with its key, as a JSON object: the first answer can be made from it again."""
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


# By the primary key. A clock of PostgreSQL that jumped ahead makes no key old: its next use would be a second send.
_FORGET_EXPIRED = text("""
DELETE FROM idempotency_keys k
 USING unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key)
 WHERE (k.caller, k.key) = (u.caller, u.key)
   AND k.created_at < least(clock_timestamp(), :latest) - CAST(:lifetime AS interval)
""")


def forget_expired(
    connection: Connection, keys: Sequence[IdempotencyKey], *, now: datetime | None = None
) -> None:
    """Forget those of `keys` that were used more than a day ago, so that they are new again.

    Two that do so at once both go on. `now` is the time by this process's clock (None reads it).
    """
    asked = {"lifetime": KEY_LIFETIME, "latest": latest_plausible(now)}
    connection.execute(_FORGET_EXPIRED, _key_parameters(keys) | asked)


# By the primary key.
_FIRST_USES = text("""
SELECT k.caller, k.key, k.fingerprint, k.message_id, k.created_at, k.send
  FROM idempotency_keys k
  JOIN unnest(CAST(:caller AS text[]), CAST(:key AS text[])) AS u(caller, key) USING (caller, key)
""")


def find_first_uses(
    connection: Connection, keys: Sequence[IdempotencyKey]
) -> dict[tuple[str, str], FirstUse]:
    """The first uses of those of `keys` that have been used, by (caller, key)."""
    rows = connection.execute(_FIRST_USES, _key_parameters(keys))
    return {
        (row.caller, row.key): FirstUse(
            bytes(row.fingerprint), row.message_id, row.created_at, row.send
        )
        for row in rows
    }


def _key_parameters(keys: Sequence[IdempotencyKey]) -> dict[str, Any]:
    return {"caller": [key.caller for key in keys], "key": [key.key for key in keys]}


# Starts where the last slice ended: the index still has what that slice deleted, and it would be read again.
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
    """Forget up to `slice` keys that are older than a day (index idempotency_keys_created_at).

    Returns the `after` for the next slice, None if this was the last one.
    """
    latest = latest_plausible()
    asked = {"after": after, "latest": latest, "lifetime": KEY_LIFETIME, "slice": slice}
    row = connection.execute(_PURGE_OLD_KEYS, asked).one()
    last: datetime | None = row.last if row.purged >= slice else None
    return last
