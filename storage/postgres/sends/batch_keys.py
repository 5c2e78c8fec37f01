"""The idempotency key of a batch: bound to its whole body, with the first answer to every entry (contract §2).

Called by ingest around `intake.accept`. The row of the key itself names the body and keeps what was
refused; each entry that is sent has a key of its own, whose row `accept` writes with the send.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, text

from storage.model.errors import CallerError
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.sends import idempotency

# Between a batch's key and an entry's place: no header can hold it, so no caller's key looks alike.
_JOINT = "\x1f"
# No message is 0.
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
    """What a batch was answered before, by the entries' places: what was sent, and answers of refusal."""

    sent: dict[int, Accepted] = field(default_factory=dict)
    refused: dict[int, Any] = field(default_factory=dict)


def make_entry_key(key: IdempotencyKey, place: int) -> IdempotencyKey:
    """The key of one entry."""
    return replace(key, key=f"{key.key}{_JOINT}{place}")


def bind_batch(
    connection: Connection, key: IdempotencyKey, *, size: int
) -> FirstAnswers | CallerError:
    """Bind the key to its body, and answer what its `size` entries were answered before.

    An Invalid if it was used for another body, now or in the last day: nothing may be sent then. Each
    statement is a transaction of its own; safe to repeat, and for two at once.
    """
    entries = [make_entry_key(key, place) for place in range(size)]
    idempotency.forget_expired(connection, [key, *entries])
    connection.execute(_BIND, _named(key))
    first = idempotency.find_first_uses(connection, [key, *entries])
    own = first[(key.caller, key.key)]
    if bytes(own.fingerprint) != key.fingerprint:
        return idempotency.refuse_other_body()
    sent: dict[int, Accepted] = {}
    for place, entry in enumerate(entries):
        row = first.get((entry.caller, entry.key))
        if row is not None and isinstance(one := idempotency.replay_answer(entry, row), Accepted):
            sent[place] = one
    refused = {int(place): answer for place, answer in own.send.items()}
    return FirstAnswers(sent, {p: answer for p, answer in refused.items() if p not in sent})


def record_refused(connection: Connection, key: IdempotencyKey, refused: Mapping[int, Any]) -> None:
    """Keep the answers to entries that were refused, JSON shapes by place, to be given again."""
    by_place = {str(place): answer for place, answer in refused.items()}
    asked = _named(key) | {"refused": orjson.dumps(by_place).decode()}
    connection.execute(_NOTE_REFUSED, asked)


def _named(key: IdempotencyKey) -> dict[str, Any]:
    return {"caller": key.caller, "key": key.key, "fingerprint": key.fingerprint}
