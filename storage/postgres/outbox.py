"""The outbox: events of what ingest changes, written in the statement of the change; both ends.

Ingest writes (`conversations.py`, `recalls.py`), the holder of the persist lane puts them on the bus, after the
events of the messages that they may be about, and forgets them. So nobody hears of a recall before the message, and
nothing is lost with a process or a bus. An event is written as the bus carries it (`event_json.py`), for everyone.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.model.event import Event
from storage.valkey.event_json import decode_event

# Parts of statements that change something: the event of it, from what they name.
CONVERSATION_READ = "jsonb_build_object('k', 'r', 'f', jsonb_build_array({user_id}, {peer_id}, {up_to_id}, {unread}))"
ALL_READ = "jsonb_build_object('k', 'a', 'f', jsonb_build_array({user_id}, {up_to_id}, {unread}))"
# For a worker that looks whether there is something, or the sweep whether something was left: along the primary
# key, for the table is often vacuumed late.
_ONE = """(
SELECT number FROM outbox WHERE try_at <= clock_timestamp(){grace} ORDER BY number LIMIT 1) IS NOT NULL
"""
HAS_EVENT_TO_PUBLISH = _ONE.format(grace="")
HAS_OVERDUE_EVENT = _ONE.format(grace=" - CAST(:grace AS interval)")


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event that waits to be published; None: of a kind that this version does not know."""

    number: int
    event: Event | None


_WAITING = text("""
SELECT number, CAST(event AS text) AS event FROM outbox WHERE try_at <= clock_timestamp()
 ORDER BY number LIMIT :limit
""")


def list_waiting(connection: Connection, limit: int) -> list[OutboxEvent]:
    """The oldest that wait. Whatever they are about was committed before, and so was this."""
    rows = connection.execute(_WAITING, {"limit": limit})
    return [OutboxEvent(row.number, decode_event(row.event.encode())) for row in rows]


# By number, one by one: numbers are given before commits, so a lower one may still come.
_FORGET = text("DELETE FROM outbox WHERE number = ANY(CAST(:numbers AS bigint[]))")


def forget(connection: Connection, numbers: Collection[int]) -> None:
    """Note that the bus has taken these."""
    connection.execute(_FORGET, {"numbers": list(numbers)})


_SET_ASIDE = text("""
UPDATE outbox o
   SET attempts = o.attempts + 1, error = refused.error,
       try_at = clock_timestamp() + make_interval(secs => least(600, power(2, least(o.attempts, 10))))
  FROM unnest(CAST(:numbers AS bigint[]), CAST(:errors AS text[])) AS refused(number, error)
 WHERE o.number = refused.number
""")


def set_aside(connection: Connection, errors: dict[int, str]) -> None:
    """Note why these cannot be published; each is tried again after a pause, and nothing waits for it."""
    parameters = {"numbers": list(errors), "errors": list(errors.values())}
    connection.execute(_SET_ASIDE, parameters)
