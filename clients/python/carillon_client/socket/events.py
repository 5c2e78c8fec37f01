"""What a socket gives: one event for each frame that says something (docs/api/build-a-client.md, Frames)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carillon_client.results import Result


@dataclass(frozen=True, kw_only=True)
class PushedMessage(Result):
    """A message, as everyone who gets it sees it. `conversation_id` is the `user_id` of its conversation in the list.

    `sender_id` is the person's own for what they sent on another device.
    """

    id: int
    sender_id: int | None
    type: str
    content_type: str
    title: str
    content: str
    filename: str | None
    action_url: str | None
    action_text: str | None
    sender_name: str
    created_at: datetime
    app_id: int | None
    app_name: str | None
    receiver_id: int | None
    conversation_id: int
    client_ref: str | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message is in the person's history."""

    message: PushedMessage


@dataclass(frozen=True, kw_only=True)
class ConversationRead(Result):
    """The person read a conversation up to that message, on any device; its counter is `unread_count` now."""

    conversation_id: int
    up_to_id: int
    unread_count: int


@dataclass(frozen=True, kw_only=True)
class AllRead(Result):
    """The person read everything up to that message; the counter of all conversations is `unread_count` now."""

    up_to_id: int
    unread_count: int


@dataclass(frozen=True, kw_only=True)
class MessageRecalled(Result):
    """A message was taken back; it may be one that was never seen here."""

    id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class Resync:
    """Something was missed that cannot be replayed: what was read over REST before is to be read again."""


SocketEvent = NewMessage | ConversationRead | AllRead | MessageRecalled | Resync


def read_event(frame: Mapping[str, Any]) -> SocketEvent | None:
    """The event of a frame; None for one that says nothing to the caller, or that this package does not know."""
    data = frame.get("data")
    match frame.get("type"):
        case "NEW_MESSAGE":
            return NewMessage(PushedMessage.from_json(data))
        case "CONVERSATION_READ":
            return ConversationRead.from_json(data)
        case "ALL_READ":
            return AllRead.from_json(data)
        case "MESSAGE_RECALLED":
            return MessageRecalled.from_json(data)
        case "RESYNC":
            return Resync()
    return None
