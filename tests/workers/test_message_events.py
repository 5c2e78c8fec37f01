"""The events of messages: whom they are for, what is shown, and what cannot be made."""

from datetime import UTC, datetime
from typing import Any

import pytest

from storage.model.errors import PermanentError
from storage.model.message import ContentType, Message, MessageType, PersistedMessage
from workers.message_events import make_event, make_event_for_copies

MESSAGE = Message(
    id=4096,
    sender_id=1,
    receiver_id=2,
    app_id=None,
    app_name=None,
    sent_by_app_id=None,
    type=MessageType.MESSAGE,
    content_type=ContentType.TEXT,
    title="私信",
    content="你好",
    action_url=None,
    action_text=None,
    is_broadcast=False,
    created_at=datetime(2026, 11, 28, tzinfo=UTC),
)
IMAGE = MESSAGE._replace(content_type=ContentType.IMAGE, content="u-1/key.png", filename="图.png")


class Store:
    """A media store; with `error` it has no credentials."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def url(self, key: str, *, filename: str = "") -> str:
        """A URL that shows the key and the name."""
        if self._error is not None:
            raise self._error
        return f"https://media.example/{key}?name={filename}"


def store(error: Exception | None = None) -> Any:
    """A store as events use it."""
    return Store(error)


def test_a_private_message_is_for_both_each_in_the_conversation_with_the_other() -> None:
    """The event of a private message names receiver and sender, each with the other as the conversation."""
    event = make_event_for_copies(PersistedMessage(MESSAGE, "origin"), store())
    assert event.recipients == ((1, (2,)), (2, (1,)))
    assert (event.content, event.origin, event.part) == ("你好", "origin", 0)


def test_an_object_key_becomes_a_url_with_the_name_of_the_file() -> None:
    """Clients are shown a URL that they can open, with the file's own name, and never an object key."""
    event = make_event_for_copies(PersistedMessage(IMAGE), store())
    assert event.content == "https://media.example/u-1/key.png?name=图.png"


def test_a_chunk_names_its_people_and_its_number() -> None:
    """The event of a broadcast's chunk is for the people it is given, and is told from other chunks by its number."""
    event = make_event(PersistedMessage(MESSAGE), store(), recipients=((-7, (5, 6)),), part=3)
    assert event.recipients == ((-7, (5, 6)),)
    assert event.key == "n4096.3"


def test_an_event_that_cannot_be_made_is_the_messages_own_fault() -> None:
    """Whatever the store raises is a PermanentError, which names the kind of error and quotes nothing of it."""
    with pytest.raises(PermanentError) as raised:
        make_event_for_copies(PersistedMessage(IMAGE), store(OSError("secret words")))
    assert raised.value.detail == "OSError."
