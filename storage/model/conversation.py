"""A conversation: what a person's deliveries are grouped by (contract §2, Conversations).

For a person it is named by one integer, the *peer*: another person's id (> 0), minus an app's id
(< 0), or 0 for imported system notifications.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage.model.message import ContentType, Message, MessageType

SYSTEM_PEER = 0
SYSTEM_USERNAME = "system"
SYSTEM_NAME = "系统通知"
PREVIEW_LENGTH = 200


class Delivery(NamedTuple):
    """One person's copy of a message: whose it is, in which conversation, and whether it counts as read from the start."""

    user_id: int
    peer_id: int
    is_read: bool


def app_peer(app_id: int | None) -> int:
    """The peer of the conversation that an app's messages are in: `-app_id`, or SYSTEM_PEER without an app."""
    return SYSTEM_PEER if app_id is None else -app_id


def make_deliveries(message: Message) -> tuple[Delivery, ...]:
    """Everyone's deliveries of a message to one receiver, the receiver's first.

    From person to person both have one, and the sender's is read from the start; to oneself there is one. Otherwise
    the receiver alone has one, in the app's conversation. A broadcast has none here: it has an audience.
    `storage/postgres/messages/persistence.py` says the same in SQL; a test holds the two together.
    """
    receiver, sender = message.receiver_id, message.sender_id
    if receiver is None:
        return ()
    if message.type is not MessageType.MESSAGE or sender is None:
        return (Delivery(receiver, app_peer(message.app_id), is_read=False),)
    if sender == receiver:
        return (Delivery(receiver, receiver, is_read=True),)
    return (
        Delivery(receiver, sender, is_read=False),
        Delivery(sender, receiver, is_read=True),
    )


def make_preview(content_type: ContentType, content: str) -> str:
    """The line shown in a conversation list: the text, cut at PREVIEW_LENGTH characters, or `[IMAGE]` and the like."""
    return content[:PREVIEW_LENGTH] if content_type is ContentType.TEXT else f"[{content_type}]"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row of a person's conversation list.

    `peer_username` and `peer_name`: a person's mobile and name, an app's string id and name.
    `last_content_type` and `last_content` are None when the message is gone (recalled, or past retention).
    """

    peer_id: int
    peer_username: str
    peer_name: str
    unread_count: int
    last_content_type: ContentType | None
    last_content: str | None
    updated_at: datetime


class ConversationKey(NamedTuple):
    """The place of a conversation in its owner's list, which is in descending order of these; no two are the same."""

    updated_at: datetime
    last_message_id: int


@dataclass(frozen=True, slots=True)
class ConversationCursor:
    """Where somebody who pages through their conversations goes on.

    A conversation that gets a message while they page moves up, perhaps past where they are. So they pass over the list
    more than once: first over all of it, then over what has moved since the pass before began, and so on.
    """

    before: ConversationKey | None = None
    """The last one that this pass has shown; None: the pass is about to begin."""
    down_to: datetime | None = None
    """This pass is over those that were updated since; None: over all."""
    begun_at: datetime | None = None
    """What moves since this pass began has an `updated_at` from here on; None exactly if `before` is."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of somebody's conversations; `next` is None if there is no more."""

    conversations: list[Conversation]
    next: ConversationCursor | None
