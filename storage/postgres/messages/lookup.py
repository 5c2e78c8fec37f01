"""Finding a message by its id, wherever it is on its way.

Who may see it is decided in ingest; only `find_received` asks whether a person has a copy.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.broadcast import BroadcastStatus
from storage.model.message import Message, MessageStatus
from storage.postgres.held_apps import IS_HELD_SEND
from storage.postgres.message_rows import FIELDS_IN_MESSAGES, read_message, receiver_peer_expression


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message and how far it has come.

    `read_at` is when its one receiver read it; None for unread messages and for broadcasts. `is_held`: it is due, and
    waits because its app is disabled or paused, or the queue of sends is.
    """

    message: Message
    status: MessageStatus
    read_at: datetime | None
    is_held: bool = False


# Each for one id, and for many at once.
_ONE, _MANY = "= :id", "IN (SELECT unnest(CAST(:ids AS bigint[])))"
_WAITING = f"""
SELECT *, is_scheduled AND created_at > clock_timestamp() AS is_ahead, {IS_HELD_SEND} AS is_held
  FROM accepted WHERE id {{which}}
"""  # noqa: S608 (a constant)
_DELIVERED = f"""
SELECT {FIELDS_IN_MESSAGES}, m.recalled_at, d.read_at, b.status AS broadcast_status
  FROM messages m
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN broadcasts b ON m.is_broadcast AND b.id = m.id
  LEFT JOIN deliveries d
    ON d.message_id = m.id AND d.user_id = m.receiver_id
   AND d.peer_id = {receiver_peer_expression("m")}
 WHERE m.id {{which}}
"""  # noqa: S608 (columns and the peer's rule)
_HELD = """
SELECT (jsonb_populate_record(NULL::accepted, payload)).* FROM held_sends WHERE id {which}
"""
_FAILED = """
SELECT (jsonb_populate_record(NULL::accepted, payload)).* FROM failed_sends WHERE id {which}
"""


def find_message(connection: Connection, message_id: int) -> FoundMessage | None:
    """The message with this id, be it accepted, held, delivered, failed or recalled; None if there is none.

    The tables are read in the order in which a message moves through them, so that one that moves meanwhile is found;
    twice, because a held one moves back.
    """
    for statement, read in (*_LOOK_FOR_ONE, *_LOOK_FOR_ONE):
        if row := connection.execute(statement, {"id": message_id}).first():
            return read(row)
    return None


def find_messages(connection: Connection, ids: Collection[int]) -> list[FoundMessage]:
    """Those of the messages with these ids that there are, each as `find_message` gives it, by id."""
    found: dict[int, FoundMessage] = {}
    for statement, read in (*_LOOK_FOR_MANY, *_LOOK_FOR_MANY):
        if missing := [id for id in ids if id not in found]:
            for row in connection.execute(statement, {"ids": missing}):
                found[row.id] = read(row)
    return [found[id] for id in sorted(found)]


def _read_waiting(row: Row[Any]) -> FoundMessage:
    status = MessageStatus.SCHEDULED if row.is_ahead else MessageStatus.ACCEPTED
    is_held = row.is_held and not row.is_ahead
    return FoundMessage(read_message(row), status, None, is_held=is_held)


def _read_delivered(row: Row[Any]) -> FoundMessage:
    return FoundMessage(read_message(row), _read_status(row), row.read_at)


def _read_held(row: Row[Any]) -> FoundMessage:
    return FoundMessage(read_message(row), _read_held_status(row), None, is_held=True)


def _read_failed(row: Row[Any]) -> FoundMessage:
    return FoundMessage(read_message(row), MessageStatus.FAILED, None)


def _read_held_status(row: Row[Any]) -> MessageStatus:
    is_due = not row.is_scheduled or row.is_broadcast
    return MessageStatus.ACCEPTED if is_due else MessageStatus.SCHEDULED


# A broadcast is delivered when everyone has it (contract §2); until then it is accepted.
_STATUS_OF_A_BROADCAST = {
    BroadcastStatus.DONE: MessageStatus.DELIVERED,
    BroadcastStatus.CANCELLED: MessageStatus.CANCELLED,
    BroadcastStatus.FAILED: MessageStatus.FAILED,
    BroadcastStatus.RECALLING: MessageStatus.RECALLED,
    BroadcastStatus.RECALLED: MessageStatus.RECALLED,
}


def _read_status(row: Row[Any]) -> MessageStatus:
    if row.broadcast_status is not None:
        return _STATUS_OF_A_BROADCAST.get(
            BroadcastStatus(row.broadcast_status), MessageStatus.ACCEPTED
        )
    return MessageStatus.RECALLED if row.recalled_at else MessageStatus.DELIVERED


_LOOKS = (
    (_WAITING, _read_waiting),
    (_DELIVERED, _read_delivered),
    (_HELD, _read_held),
    (_FAILED, _read_failed),
)
_LOOK_FOR_ONE = [(text(look.format(which=_ONE)), read) for look, read in _LOOKS]
_LOOK_FOR_MANY = [(text(look.format(which=_MANY)), read) for look, read in _LOOKS]


# By the primary keys of `messages` and `deliveries`.
_RECEIVED = text(f"""
SELECT {FIELDS_IN_MESSAGES} FROM messages m LEFT JOIN apps a ON a.id = m.app_id
 WHERE m.id = :id AND EXISTS (
   SELECT 1 FROM deliveries d
    WHERE d.user_id = :user_id AND d.message_id = m.id
      AND d.peer_id = {receiver_peer_expression("m")})
""")  # noqa: S608 (as above)


def find_received(connection: Connection, message_id: int, *, user_id: int) -> Message | None:
    """The message with this id if `user_id` received it; None otherwise, also for its sender."""
    row = connection.execute(_RECEIVED, {"id": message_id, "user_id": user_id}).first()
    return read_message(row) if row else None


_PERSISTED = text("""
SELECT id FROM messages WHERE id = ANY(CAST(:ids AS bigint[])) AND recalled_at IS NULL
""")


def find_persisted(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of `ids` that are in the histories: persisted and not recalled."""
    return set(connection.execute(_PERSISTED, {"ids": list(ids)}).scalars())
