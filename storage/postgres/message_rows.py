"""Messages as rows: their columns, in SQL, the peer of their receiver, and the message in a row.

Every statement that writes or reads whole messages takes its column lists from here, so that a new field of a message
is named in `model.message.Message`, `model.send.Send`, `tables/` and a migration, and nowhere else in this package.
This module asks PostgreSQL nothing.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar, cast

from sqlalchemy import Row
from sqlalchemy.dialects import postgresql

from storage.model.message import ContentType, Message, MessageType, UnknownWord
from storage.model.send import Send
from storage.postgres.tables import accepted

# The fields of a Message, in their order; `accepted` has them all. `messages` has no name of the app, which is
# looked up in `apps` when a message is read.
FIELDS_IN_ACCEPTED = ", ".join(Message._fields)
COLUMNS_OF_MESSAGES = ", ".join(name for name in Message._fields if name != "app_name")
# The same fields for a query of `messages m LEFT JOIN apps a`.
FIELDS_IN_MESSAGES = ", ".join(
    "a.name AS app_name" if name == "app_name" else f"m.{name}" for name in Message._fields
)

# The request that a row of `accepted` came with, without its span (`model/origin.py`); NULL if it is not known.
REQUEST_ID = "nullif(split_part(origin, ' ', 1), '')"

# What of a Send is written to `accepted` as it stands; `send_at` becomes the id and the instant.
_SEND_FIELDS = [field.name for field in fields(Send) if field.name != "send_at"]
COLUMNS_OF_A_SEND = ", ".join(_SEND_FIELDS)
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
TYPED_COLUMNS_OF_A_SEND = ", ".join(
    f"{name} {accepted.c[name].type.compile(_DIALECT)}" for name in _SEND_FIELDS
)


def personal_condition(table: str) -> str:
    """The SQL condition that a row of `table` is a message from person to person."""
    return f"{table}.type = 'MESSAGE' AND {table}.sender_id IS NOT NULL"


def receiver_peer_expression(table: str) -> str:
    """The SQL expression of the receiver's peer, for the message in a row of `table` (contract §2, Conversations).

    `model.conversation.make_deliveries` says the same in Python; a test holds the two together.
    """
    return f"""CASE WHEN {personal_condition(table)}
                 THEN {table}.sender_id ELSE -coalesce({table}.app_id, 0) END"""


Word = TypeVar("Word", MessageType, ContentType)


class _Words(dict[str, Word]):
    """The members of an enum by value; a value that only a newer version knows becomes an UnknownWord."""

    def __missing__(self, word: str) -> Word:
        return cast("Word", UnknownWord(word))


# Looking a value up in a dict is far faster than calling the enum, and each message has two.
TYPES = _Words({kind.value: kind for kind in MessageType})
CONTENT_TYPES = _Words({kind.value: kind for kind in ContentType})

_TYPE, _CONTENT_TYPE = map(Message._fields.index, ("type", "content_type"))


def make_message(values: Sequence[Any]) -> Message:
    """The message whose fields these are, in the order of `Message`, as PostgreSQL gives them."""
    made = list(values)
    made[_TYPE] = TYPES[made[_TYPE]]
    made[_CONTENT_TYPE] = CONTENT_TYPES[made[_CONTENT_TYPE]]
    return Message._make(made)


def read_message(row: Row[Any]) -> Message:
    """The message in a row that has its fields by name, among others."""
    return make_message([getattr(row, name) for name in Message._fields])
