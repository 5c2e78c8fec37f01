"""Unpublished messages: they are in the histories, and their events are not on the bus yet.

The holder of the persist lane writes and reads here. A row without an error waits for the bus to come back, in order. A
row with an error is *set aside*: its event could not be made (media without credentials, a type of a newer version). It
is tried again after growing pauses, and nothing waits for it (docs/decisions/0022-publishing-sets-aside-alone.md).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.model.message import PersistedMessage
from storage.postgres.message_rows import FIELDS_IN_MESSAGES, read_message

# The pause doubles from a second to ten minutes: ten minutes after a repair everything is published.
_PAUSE = "make_interval(secs => least(600, power(2, least(attempts, 10))))"


@dataclass(frozen=True, slots=True)
class SetAsideEvent:
    """An event that could not be published: after how many `attempts`, why, and when the next try is.

    `what` names it: a message's id, or `outbox` and the number of its row.
    """

    what: str
    attempts: int
    error: str
    try_at: datetime


_ADD = text("""
INSERT INTO unpublished (message_id) SELECT unnest(CAST(:ids AS bigint[])) ON CONFLICT DO NOTHING
""")


def add(connection: Connection, ids: Sequence[int]) -> None:
    """Note that the bus did not take the events of these messages. Safe to repeat."""
    connection.execute(_ADD, {"ids": list(ids)})


# Along the primary key; the table is empty unless something is wrong. What was recalled meanwhile, or dropped with its
# month, has no event any more.
_DUE = text(f"""
WITH due AS (
  SELECT message_id FROM unpublished WHERE try_at <= clock_timestamp()
   ORDER BY message_id LIMIT :limit
), moot AS (
  DELETE FROM unpublished u USING due
   WHERE u.message_id = due.message_id AND NOT EXISTS (
     SELECT 1 FROM messages m WHERE m.id = due.message_id AND m.recalled_at IS NULL)
)
SELECT due.message_id, {FIELDS_IN_MESSAGES}
  FROM due LEFT JOIN messages m ON m.id = due.message_id AND m.recalled_at IS NULL
  LEFT JOIN apps a ON a.id = m.app_id
 ORDER BY due.message_id
""")  # noqa: S608 (column lists of `message_rows`)


def find_due(connection: Connection, limit: int) -> tuple[list[int], list[PersistedMessage]]:
    """The oldest that are to be published now, in order: the ids that were read, and the messages among them.

    An id whose message is gone or recalled has no event; its row is deleted. No ids: nothing is due. The origin of
    these messages is not known any more.
    """
    rows = connection.execute(_DUE, {"limit": limit}).all()
    return (
        [row.message_id for row in rows],
        [PersistedMessage(read_message(row)) for row in rows if row.id is not None],
    )


_REMOVE = text("DELETE FROM unpublished WHERE message_id = ANY(CAST(:ids AS bigint[]))")


def remove(connection: Connection, ids: Collection[int]) -> None:
    """Note that the bus took the events of these messages."""
    connection.execute(_REMOVE, {"ids": list(ids)})


_SET_ASIDE = text(f"""
INSERT INTO unpublished AS u (message_id, attempts, error, try_at)
SELECT id, 1, error, clock_timestamp() + interval '1 second'
  FROM unnest(CAST(:ids AS bigint[]), CAST(:errors AS text[])) AS refused(id, error)
ON CONFLICT (message_id) DO UPDATE
   SET attempts = u.attempts + 1, error = excluded.error,
       try_at = clock_timestamp() + {_PAUSE.replace("attempts", "u.attempts")}
""")  # noqa: S608 (the constant above)


def set_aside(connection: Connection, errors: dict[int, str]) -> None:
    """Note why the events of these messages could not be made, by id; each is tried again after a pause."""
    if errors:
        parameters = {"ids": list(errors), "errors": list(errors.values())}
        connection.execute(_SET_ASIDE, parameters)


_LIST_SET_ASIDE = text("""
SELECT CAST(message_id AS text) AS what, attempts, error, try_at
  FROM unpublished WHERE error IS NOT NULL
 UNION ALL
SELECT 'outbox ' || number, attempts, error, try_at FROM outbox WHERE error IS NOT NULL
 ORDER BY what LIMIT :limit
""")


def list_set_aside(connection: Connection, *, limit: int) -> list[SetAsideEvent]:
    """Up to `limit` events that are set aside, also those of the outbox, in the order of their names."""
    rows = connection.execute(_LIST_SET_ASIDE, {"limit": limit})
    return [SetAsideEvent(row.what, row.attempts, row.error, row.try_at) for row in rows]


_RETRY_SET_ASIDE = text("""
WITH told AS (
  UPDATE outbox SET try_at = clock_timestamp() WHERE error IS NOT NULL RETURNING 1
), messages AS (
  UPDATE unpublished SET try_at = clock_timestamp() WHERE error IS NOT NULL RETURNING 1
)
SELECT (SELECT count(*) FROM told) + (SELECT count(*) FROM messages)
""")


def retry_set_aside(connection: Connection) -> int:
    """Let every event that is set aside be tried again now; returns how many."""
    return int(connection.execute(_RETRY_SET_ASIDE).scalar_one())
