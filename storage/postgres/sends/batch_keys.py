"""The idempotency key of a batch: bound to the whole body, with the first answer to every entry (contract §2).

Ingest calls this before and after `intake.accept`. The row of the batch's key stores the digest of the body and the
answers to refused entries. Each entry that is sent has a key of its own, whose row `accept` writes with the send.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, text

from storage.model.errors import CallerError
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.sends import idempotency

# Stands between a batch's key and an entry's place. No header can hold it, so no key of a caller can look like an
# entry's.
_SEPARATOR = "\x1f"
# There is no message 0.
_BIND = text("""
INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, send)
VALUES (:caller, :key, :fingerprint, 0, '{}')
ON CONFLICT DO NOTHING
""")
_NOTE_REFUSED = text("""
UPDATE idempotency_keys SET send = send || CAST(:refused AS jsonb)
 WHERE (caller, key, fingerprint) = (:caller, :key, :fingerprint)
""")


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """What was answered to a batch before, by the place of the entry: sends, and the JSON of refusals."""

    sent: dict[int, Accepted] = field(default_factory=dict)
    refused: dict[int, Any] = field(default_factory=dict)


def make_entry_key(key: IdempotencyKey, place: int) -> IdempotencyKey:
    """The key of the entry at `place` in the batch of `key`."""
    return replace(key, key=f"{key.key}{_SEPARATOR}{place}")


def bind_batch(
    connection: Connection, key: IdempotencyKey, *, size: int
) -> FirstAnswers | CallerError:
    """Bind a batch's key to its body; returns what was answered to its `size` entries before.

    A CallerError if the key was used for another body in the last day, or is at this moment: then nothing may be sent.
    Every statement may be a transaction of its own. Safe to repeat, and for two requests at once.
    """
    entries = [make_entry_key(key, place) for place in range(size)]
    idempotency.forget_expired(connection, [key, *entries])
    connection.execute(_BIND, _key_parameters(key))
    first = idempotency.find_first_uses(connection, [key, *entries])
    own = first[(key.caller, key.key)]
    if own.fingerprint != key.fingerprint:
        return idempotency.refuse_other_body()
    sent: dict[int, Accepted] = {}
    for place, entry in enumerate(entries):
        row = first.get((entry.caller, entry.key))
        if row is not None and isinstance(one := idempotency.replay_answer(entry, row), Accepted):
            sent[place] = one
    refused = {int(place): answer for place, answer in own.kept.items()}
    return FirstAnswers(sent, {p: answer for p, answer in refused.items() if p not in sent})


def record_refused(connection: Connection, key: IdempotencyKey, refused: Mapping[int, Any]) -> None:
    """Store the answers to refused entries (by place, as JSON shapes), to be given again to the same key."""
    by_place = {str(place): answer for place, answer in refused.items()}
    asked = _key_parameters(key) | {"refused": orjson.dumps(by_place).decode()}
    connection.execute(_NOTE_REFUSED, asked)


def _key_parameters(key: IdempotencyKey) -> dict[str, Any]:
    return {"caller": key.caller, "key": key.key, "fingerprint": key.fingerprint}
