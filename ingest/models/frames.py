"""What a socket carries, for `/asyncapi.json`: a dataclass for each frame, in the order of their fields (contract §5).

The push gateway writes them (`push_gateway/frames.py`) without these shapes; a test holds the frames of a real socket
against them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import WithJsonSchema

from ingest.models.responses import Time, UnixMs
from storage.model.message import CardState, ContentType, MessageType

Pos = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "minLength": 1, "examples": ["5b9f1c0a-1773828600000-0-31002"]}
    ),
]


@dataclass(frozen=True)
class ServerTime:
    """What a new connection is told."""

    server_time_ms: UnixMs
    """The server's time, as Unix milliseconds: a client can tell by how much its own clock is off."""


@dataclass(frozen=True)
class HelloFrame:
    """The first frame of every connection, before anything is replayed."""

    type: Literal["HELLO"]
    """`HELLO`."""
    pos: Pos
    """Where to go on if nothing else comes."""
    data: ServerTime
    """The server's time."""


@dataclass(frozen=True)
class PositionFrame:
    """Nothing was pushed for a while: where to go on all the same. It comes with the server's pings."""

    type: Literal["POSITION"]
    """`POSITION`."""
    pos: Pos
    """Where to go on after this frame."""


@dataclass(frozen=True)
class PushedMessage:
    """A message, as everyone who gets it sees it."""

    id: int
    """Its id: the same as in histories. Show one id once, wherever it comes from."""
    sender_id: int | None
    """The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications."""
    type: MessageType
    """`MESSAGE` or `NOTIFICATION`."""
    content_type: ContentType
    """What `content` is."""
    title: str
    """Up to 255 characters."""
    content: str
    """Text, or the JSON text of an object. For `IMAGE`, `VIDEO` and `FILE`: a URL that works for an hour by default."""
    filename: str | None
    """The file's own name; null for what is no file."""
    action_url: str | None
    """Where its button leads; null without one."""
    action_text: str | None
    """What its button says; null without one."""
    sender_name: str
    """`系统通知` for a notification, `用户私信` for a private message."""
    created_at: Time
    """When it was accepted, in the deployment's time zone, without an offset."""
    created_at_ms: UnixMs
    """The same instant as Unix milliseconds."""
    app_id: int | None
    """The integer id of its app; null from person to person."""
    app_name: str | None
    """The app's name; null from person to person."""
    receiver_id: int | None
    """The person who gets it; null for a broadcast."""
    conversation_id: int
    """The `user_id` of its conversation in the receiver's list."""
    client_ref: str | None
    """What the sender's client called its send; only on the sender's own devices, null for everybody else."""
    state: CardState | None
    """How far the matter of a card is; null for what is no to-do."""
    state_text: str | None
    """The state in the app's own words, such as who decided; null without one."""
    ref: str | None
    """The app's own name for the matter; null without one."""
    version: int
    """1 at first, one more with each change. Of two forms of a message show the one with the higher version."""


@dataclass(frozen=True)
class NewMessageFrame:
    """A message is in the person's history. It comes to every device of both people."""

    type: Literal["NEW_MESSAGE"]
    """`NEW_MESSAGE`."""
    pos: Pos
    """Where to go on after this frame: send it as `since`."""
    data: PushedMessage
    """The message."""


@dataclass(frozen=True)
class MessageUpdatedFrame:
    """The app changed a card that the person has: show its new form. Its place, counters and read state do not change."""

    type: Literal["MESSAGE_UPDATED"]
    """`MESSAGE_UPDATED`."""
    pos: Pos
    """Where to go on after this frame."""
    data: PushedMessage
    """The whole message, in its new form."""


@dataclass(frozen=True)
class ReadConversation:
    """Up to where a conversation is read."""

    conversation_id: int
    """The `user_id` of the conversation in the list."""
    up_to_id: int
    """The newest message that is read."""
    unread_count: int
    """What the conversation's counter is now."""


@dataclass(frozen=True)
class ConversationReadFrame:
    """The person read a conversation, here or on another device."""

    type: Literal["CONVERSATION_READ"]
    """`CONVERSATION_READ`."""
    pos: Pos
    """Where to go on after this frame."""
    data: ReadConversation
    """What was read."""


@dataclass(frozen=True)
class ReadEverything:
    """Up to where everything is read."""

    up_to_id: int
    """The newest message that is read."""
    unread_count: int
    """How many are unread now, of all conversations."""


@dataclass(frozen=True)
class AllReadFrame:
    """The person read everything, here or on another device: load the conversation list again."""

    type: Literal["ALL_READ"]
    """`ALL_READ`."""
    pos: Pos
    """Where to go on after this frame."""
    data: ReadEverything
    """What was read."""


@dataclass(frozen=True)
class RecalledMessage:
    """A message that was taken back."""

    id: int
    """The message's id."""
    conversation_id: int
    """The `user_id` of its conversation in the list."""


@dataclass(frozen=True)
class MessageRecalledFrame:
    """A message was taken back: take it off the screen."""

    type: Literal["MESSAGE_RECALLED"]
    """`MESSAGE_RECALLED`."""
    pos: Pos
    """Where to go on after this frame."""
    data: RecalledMessage
    """Which message."""


@dataclass(frozen=True)
class ResyncFrame:
    """Something was missed that cannot be replayed: load the conversation list and the open history again.

    The socket stays open, and live frames follow.
    """

    type: Literal["RESYNC"]
    """`RESYNC`."""
    pos: Pos
    """Where to go on after this frame."""


FRAMES = (
    HelloFrame,
    PositionFrame,
    NewMessageFrame,
    MessageUpdatedFrame,
    ConversationReadFrame,
    AllReadFrame,
    MessageRecalledFrame,
    ResyncFrame,
)
