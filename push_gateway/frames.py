"""What a socket carries: the JSON of every frame (contract §5).

A frame is encoded once for an event and a conversation, however many sockets get the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

import orjson

from push_gateway.sockets.frame_socket import encode_text_frame
from storage.model.event import (
    AllRead,
    ConversationRead,
    Disconnect,
    Event,
    MessageRecalled,
    MessageUpdated,
    NewMessage,
)
from storage.model.instant import to_unix_ms
from storage.model.message import FIRST_VERSION, MessageType

SENDER_NAMES = {
    MessageType.NOTIFICATION: "系统通知",
    MessageType.MESSAGE: "用户私信",
}


class FrameEncoder:
    """Encodes events as frames, with times in one time zone."""

    def __init__(self, time_zone: ZoneInfo) -> None:
        self._time_zone = time_zone

    def encode(
        self, event: Event, *, conversation_id: int, pos: str, user_ids: Sequence[int] = ()
    ) -> bytes:
        """The frame of an event for `user_ids`, whose copy is in this conversation.

        If they are the message's sender alone, it has what the sender's client called it.
        Empty for a Disconnect: it closes sockets, and clients are not sent it.
        """
        match event:
            case NewMessage() | MessageUpdated():
                is_senders = tuple(user_ids) == (event.message.sender_id,)
                data = self._message(event, conversation_id, is_senders=is_senders)
                kind = "NEW_MESSAGE" if isinstance(event, NewMessage) else "MESSAGE_UPDATED"
                return _encode_frame(kind, pos, data)
            case MessageRecalled(message_id=message_id):
                data = {"id": message_id, "conversation_id": conversation_id}
                return _encode_frame("MESSAGE_RECALLED", pos, data)
            case ConversationRead(_, _, up_to_id, unread_count):
                data = {
                    "conversation_id": conversation_id,
                    "up_to_id": up_to_id,
                    "unread_count": unread_count,
                }
                return _encode_frame("CONVERSATION_READ", pos, data)
            case AllRead(_, up_to_id, unread_count):
                data = {"up_to_id": up_to_id, "unread_count": unread_count}
                return _encode_frame("ALL_READ", pos, data)
            case Disconnect():
                return b""

    def _message(
        self, event: NewMessage | MessageUpdated, conversation_id: int, *, is_senders: bool
    ) -> dict[str, object]:
        message = event.message
        created_at = message.created_at.astimezone(self._time_zone)
        return {
            "id": message.id,
            "sender_id": message.sender_id,
            "type": message.type,
            "content_type": message.content_type,
            "title": message.title,
            "content": event.content,
            "filename": message.filename,
            "action_url": message.action_url,
            "action_text": message.action_text,
            "sender_name": SENDER_NAMES[message.type],
            # Cut, not rounded: the same text as in every answer of ingest.
            "created_at": created_at.replace(tzinfo=None, microsecond=0),
            "created_at_ms": to_unix_ms(message.created_at),
            "app_id": message.app_id,
            "app_name": message.app_name,
            "receiver_id": message.receiver_id,
            "conversation_id": conversation_id,
            "client_ref": message.client_ref if is_senders else None,
            "state": message.state,
            "state_text": message.state_text,
            "ref": message.ref,
            "version": message.version or FIRST_VERSION,
        }


def encode_hello(pos: str, *, server_time_ms: int) -> bytes:
    """The first frame of a connection: where a client that sees nothing else resumes from, and the server's time."""
    return _encode_frame("HELLO", pos, {"server_time_ms": server_time_ms})


def make_position_encoder(place: str) -> Callable[[int], bytes]:
    """A function from a person's id to their POSITION frame: where they stand without having been told anything.

    The frames of everybody of a shard differ in nothing but the id at the end of `pos`, behind `place`.
    """
    start = orjson.dumps({"type": "POSITION", "pos": place}).removesuffix(b'"}')
    return lambda user_id: encode_text_frame(b'%b%d"}' % (start, user_id))


def encode_resync(pos: str) -> bytes:
    """The frame that tells a client to read again over REST; live events follow from `pos`."""
    return encode_text_frame(orjson.dumps({"type": "RESYNC", "pos": pos}))


def group_recipients(event: Event) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The people whom an event concerns, grouped by the conversation that their frame names.

    Pairs of a conversation id and its people; the id is 0 for events of no conversation.
    """
    match event:
        case (
            NewMessage(recipients=recipients)
            | MessageUpdated(recipients=recipients)
            | MessageRecalled(recipients=recipients)
        ):
            return recipients
        case ConversationRead(user_id, conversation_id):
            return ((conversation_id, (user_id,)),)
        case Disconnect(user_id) | AllRead(user_id):
            return ((0, (user_id,)),)


def _encode_frame(kind: str, pos: str, data: Mapping[str, object]) -> bytes:
    return encode_text_frame(orjson.dumps({"type": kind, "pos": pos, "data": data}))
