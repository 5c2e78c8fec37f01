"""What a socket gives: one event for each frame that says something (docs/api/build-a-client.md, Frames)."""

from collections.abc import Callable, Mapping
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
    state: str | None = None
    state_text: str | None = None
    ref: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message is in the person's history."""

    message: PushedMessage


@dataclass(frozen=True, slots=True)
class MessageUpdated:
    """The app has changed a card: `message` is its new form, to be shown in place of the older one."""

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


SocketEvent = NewMessage | MessageUpdated | ConversationRead | AllRead | MessageRecalled | Resync


def read_event(frame: Mapping[str, Any]) -> SocketEvent | None:
    """The event of a frame; None for one that says nothing to the caller, or that this package does not know."""
    read = _READERS.get(frame.get("type", ""))
    return None if read is None else read(frame.get("data"))


def _read_new_message(data: Any) -> SocketEvent:
    return NewMessage(PushedMessage.from_json(data))


def _read_updated_message(data: Any) -> SocketEvent:
    return MessageUpdated(PushedMessage.from_json(data))


def _read_resync(_: Any) -> SocketEvent:
    return Resync()


_READERS: Mapping[str, Callable[[Any], SocketEvent]] = {
    "NEW_MESSAGE": _read_new_message,
    "MESSAGE_UPDATED": _read_updated_message,
    "CONVERSATION_READ": ConversationRead.from_json,
    "ALL_READ": AllRead.from_json,
    "MESSAGE_RECALLED": MessageRecalled.from_json,
    "RESYNC": _read_resync,
}
