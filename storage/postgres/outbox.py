"""The outbox: events of what ingest changes (reads, recalls), written in the statement of the change; both ends.

The statements of `messages/` and `broadcasts/` write events (docs/decisions/0014-the-outbox.md). The holder of the
persist lane publishes them, after the events of the messages that they may be about, and deletes them. So nobody hears
of a recall before the message, and an event outlives the process and the bus. It is stored as the bus carries it
(`storage/valkey/event_json.py`), for all of its people at once.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.model.event import Event
from storage.valkey.event_json import decode_event

# The event of a read, as a part of the statement that changes the counter; the braces are its columns.
CONVERSATION_READ = "jsonb_build_object('k', 'r', 'f', jsonb_build_array({user_id}, {peer_id}, {up_to_id}, {unread}))"
ALL_READ = "jsonb_build_object('k', 'a', 'f', jsonb_build_array({user_id}, {up_to_id}, {unread}))"
# Conditions for the holder (is there an event to publish?) and the sweep (has one waited too long?). They read along
# the primary key, because the table is often vacuumed late.
_HAS_EVENT = """(
SELECT number FROM outbox WHERE try_at <= clock_timestamp(){grace} ORDER BY number LIMIT 1) IS NOT NULL
"""
HAS_EVENT_TO_PUBLISH = _HAS_EVENT.format(grace="")
HAS_OVERDUE_EVENT = _HAS_EVENT.format(grace=" - CAST(:grace AS interval)")


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event that waits to be published. `event` is None if this version does not know its kind."""

    number: int
    event: Event | None


_WAITING = text("""
SELECT number, CAST(event AS text) AS event FROM outbox WHERE try_at <= clock_timestamp()
 ORDER BY number LIMIT :limit
""")


def list_waiting(connection: Connection, limit: int) -> list[OutboxEvent]:
    """The oldest events that are due, up to `limit`, in the order of their numbers. Primary key."""
    rows = connection.execute(_WAITING, {"limit": limit})
    return [OutboxEvent(row.number, decode_event(row.event.encode())) for row in rows]


# Each number is named: numbers are given before the commit, so one that is lower than these may still come.
_FORGET = text("DELETE FROM outbox WHERE number = ANY(CAST(:numbers AS bigint[]))")


def forget(connection: Connection, numbers: Collection[int]) -> None:
    """Delete these events, because the bus has them."""
    connection.execute(_FORGET, {"numbers": list(numbers)})


_SET_ASIDE = text("""
UPDATE outbox o
   SET attempts = o.attempts + 1, error = refused.error,
       try_at = clock_timestamp() + make_interval(secs => least(600, power(2, least(o.attempts, 10))))
  FROM unnest(CAST(:numbers AS bigint[]), CAST(:errors AS text[])) AS refused(number, error)
 WHERE o.number = refused.number
""")


def set_aside(connection: Connection, errors: dict[int, str]) -> None:
    """Record why these events, by number, could not be published.

    Each is due again after a growing pause of up to ten minutes; other events do not wait for it.
    """
    parameters = {"numbers": list(errors), "errors": list(errors.values())}
    connection.execute(_SET_ASIDE, parameters)
