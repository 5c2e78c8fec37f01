"""Acts upon cards: change what an app has sent (contract §8)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.messages import cards
from storage.postgres.messages.cards import CardChange, ChangeAnswer, ChangeStamp

# Ids that a row names of many that were changed at once; it always has their number.
_NAMED = 50


def change_cards(
    connection: Connection, actor: Actor, *, changes: Sequence[CardChange], ref: str | None = None
) -> None:
    """Give messages their new form, as `cards.change_all` says; the versions have the actor's name. `ref`: how they were found.

    The row says which version came to be and the state in it, and no text of theirs. Raises HasMovedOn.
    """
    answer = ChangeAnswer(None, None, len(changes))
    stamp = ChangeStamp(answer, None, changed_by=actor.name, request_id=actor.request_id)
    cards.change_all(connection, changes, stamp)
    is_one = len(changes) == 1
    first = changes[0].message
    after: dict[str, Any] = (
        {"version": first.version, "state": first.state} if is_one else {"count": len(changes)}
    )
    if not is_one:
        after["ids"] = [str(one.message.id) for one in changes[:_NAMED]]
    if ref is not None:
        after["ref"] = ref
    audit.record(
        connection,
        actor,
        act="card.update",
        target=f"message {first.id}" if is_one else f"{len(changes)} messages",
        after=after,
    )
