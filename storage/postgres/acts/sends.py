"""Acts upon single messages: recall one, replay or drop dead letters, have events tried again that are set aside."""

from collections.abc import Collection

from sqlalchemy import Connection

from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.messages import recalls, unpublished
from storage.postgres.messages.lookup import FoundMessage, find_message
from storage.postgres.sends import failed_sends
from storage.postgres.sends.failed_sends import FailedSend

# Ids that a row names of many that were replayed or dropped at once; it always has their number.
_NAMED = 50


def recall_message(connection: Connection, actor: Actor, *, found: FoundMessage) -> bool:
    """Recall a message to one receiver, as `recalls.recall` says; False if it was recalled before.

    Raises NotFound, TransientError.
    """
    is_new = recalls.recall(connection, found.message)
    audit.record(
        connection,
        actor,
        act="message.recall",
        target=f"message {found.message.id}",
        before={"status": found.status},
        after={"status": "RECALLED"},
    )
    return is_new


def read_content(connection: Connection, actor: Actor, *, id: int) -> FoundMessage | None:
    """The message with this id, for somebody who reads what was written in it; None if there is none, and then no row."""
    found = find_message(connection, id)
    if found is not None:
        audit.record(connection, actor, act="message.read-content", target=f"message {id}")
    return found


def read_failed(connection: Connection, actor: Actor, *, id: int) -> FailedSend | None:
    """The dead letter with this id, with what was written in it; None if there is none, and then no row."""
    found = failed_sends.find_failed(connection, id)
    if found is not None:
        audit.record(connection, actor, act="failed.read-content", target=f"failed send {id}")
    return found


def replay_failed(connection: Connection, actor: Actor, *, ids: Collection[int]) -> dict[int, int]:
    """Put dead letters back into `accepted`, as `failed_sends.replay` says; old id → new id. No row if none was there."""
    replayed = failed_sends.replay(connection, ids)
    _record_many(connection, actor, "failed.replay", list(replayed))
    return replayed


def drop_failed(connection: Connection, actor: Actor, *, ids: Collection[int]) -> list[int]:
    """Delete dead letters for good; returns the ids of those that were there. No row if none was."""
    dropped = failed_sends.drop(connection, ids)
    _record_many(connection, actor, "failed.drop", dropped)
    return dropped


def _record_many(connection: Connection, actor: Actor, act: str, ids: list[int]) -> None:
    if not ids:
        return
    is_one = len(ids) == 1
    audit.record(
        connection,
        actor,
        act=act,
        target=f"failed send {ids[0]}" if is_one else f"{len(ids)} failed sends",
        before=None if is_one else {"count": len(ids), "ids": [str(id) for id in ids[:_NAMED]]},
    )


def retry_unpublished(connection: Connection, actor: Actor) -> int:
    """Have every event that is set aside tried now; returns how many."""
    count = unpublished.retry_set_aside(connection)
    audit.record(
        connection,
        actor,
        act="unpublished.retry",
        target="events that are set aside",
        after={"count": count},
    )
    return count
