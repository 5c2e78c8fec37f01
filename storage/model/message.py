"""A message: what was sent, once, however many people receive it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

# Ids and counters are read by JavaScript, whose integers are exact below this (contract §0).
MAX_ID = 2**53 - 1


class MessageType(StrEnum):
    """Whether a person speaks or something is announced."""

    MESSAGE = "MESSAGE"
    NOTIFICATION = "NOTIFICATION"


class ContentType(StrEnum):
    """What `content` holds."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    FILE = "FILE"
    USER_NOTIFICATION = "USER_NOTIFICATION"


class UnknownWord(str):
    """A type that only a newer version knows, read after a roll-back. It is shown as it is written; no rule goes by it."""

    __slots__ = ()


class CardState(StrEnum):
    """How far the matter of a card is (contract §8). A message with a state is a to-do of its receivers."""

    PENDING = "PENDING"
    DONE = "DONE"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"


FIRST_VERSION = 1  # of every message; each change is one more
MEDIA_TYPES = frozenset({ContentType.IMAGE, ContentType.VIDEO, ContentType.FILE})


class MessageStatus(StrEnum):
    """How far a message has come (contract §2)."""

    SCHEDULED = "SCHEDULED"
    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"  # a broadcast that was stopped
    RECALLED = "RECALLED"


# A tuple and not a frozen dataclass, which is slower to make, and workers and gateways make one for every
# message (docs/performance.md, Persisting).
class Message(NamedTuple):
    """One message as it is stored.

    `app_id` is the app whose conversation it is in (None for person to person, contract §2);
    `sent_by_app_id` the app that called, which may ask for its status and recall it; `receiver_id` is None
    for a broadcast; `content` of a media type is an object key (or an older full URL), not a URL to
    show: it is presigned when it is shown. `filename` is the object's own name; None for anything else.
    `client_ref` is what the sender's client calls its send; only the sender is shown it.

    The rest is of cards (contract §8): a `state` of a newer version stays the word that it is, `ref` is the app's own name for the matter;
    `version` is None for a message that never changed.
    """

    id: int
    sender_id: int | None
    receiver_id: int | None
    app_id: int | None
    app_name: str | None
    sent_by_app_id: int | None
    type: MessageType
    content_type: ContentType
    title: str
    content: str
    action_url: str | None
    action_text: str | None
    is_broadcast: bool
    created_at: datetime
    filename: str | None = None
    client_ref: str | None = None
    state: CardState | None = None
    state_text: str | None = None
    ref: str | None = None
    version: int | None = None


class PersistedMessage(NamedTuple):
    """A message that is in the histories.

    `origin` is the text of a `storage.model.origin.Origin`; "" if it is unknown.
    """

    message: Message
    origin: str = ""


def is_understood(message: Message) -> bool:
    """Whether this version knows what the message's types mean."""
    words: tuple[str, str] = (message.type, message.content_type)
    return type(words[0]) is not UnknownWord and type(words[1]) is not UnknownWord


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as one person sees it in a history.

    `read_at` is when the receiver read it; for a message the person sent, the other side (contract §4).
    """

    message: Message
    read_at: datetime | None
