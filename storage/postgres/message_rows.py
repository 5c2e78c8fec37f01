"""Rows of `accepted` and `messages`, and the messages that they hold.

For every module that reads or writes whole messages. It asks nothing itself.
"""

from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Row

from storage.model.message import ContentType, Message, MessageType, UnknownWord

Word = TypeVar("Word", MessageType, ContentType)


class _Words(dict[str, Word]):
    """The words of an enum, by value; one of a newer version is an UnknownWord, and no error."""

    def __missing__(self, word: str) -> Word:
        return cast("Word", UnknownWord(word))


# By value: calling an enum class takes far longer, and there are two a message.
TYPES = _Words({kind.value: kind for kind in MessageType})
CONTENT_TYPES = _Words({kind.value: kind for kind in ContentType})


def read_message(row: Row[Any]) -> Message:
    """The message in a row of `accepted`, or of `messages` with its `app_name`."""
    created_at: datetime = row.created_at
    return Message(
        id=row.id,
        sender_id=row.sender_id,
        receiver_id=row.receiver_id,
        app_id=row.app_id,
        app_name=row.app_name,
        sent_by_app_id=row.sent_by_app_id,
        type=TYPES[row.type],
        content_type=CONTENT_TYPES[row.content_type],
        title=row.title,
        content=row.content,
        action_url=row.action_url,
        action_text=row.action_text,
        is_broadcast=row.is_broadcast,
        created_at=created_at,
        filename=row.filename,
    )
