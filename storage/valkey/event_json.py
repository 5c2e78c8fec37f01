"""The JSON of events on the bus, both ways, and which shard carries what; for `storage/valkey/bus.py`.

Every event of a person goes to that person's one shard (docs/decisions/0012-streams-as-bus.md), so an event to
many becomes one payload for each shard that has recipients, naming those alone. A change of this form must
still read what was written before it: publishers and readers are restarted one after the other.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson

from storage.model.event import (
    AllRead,
    ConversationRead,
    Disconnect,
    Event,
    MessageRecalled,
    NewMessage,
)
from storage.model.message import ContentType, Message, MessageType

SHARDS = 16

# A message travels as a list in this order. What came later has a name of its own, which readers of the
# version before pass over: `f`, the file's name.
MESSAGE_FIELDS = (
    "id",
    "sender_id",
    "receiver_id",
    "app_id",
    "app_name",
    "sent_by_app_id",
    "type",
    "content_type",
    "title",
    "content",
    "action_url",
    "action_text",
    "is_broadcast",
    "created_at",
)

_fields = attrgetter(*MESSAGE_FIELDS)

Recipients = tuple[tuple[int, tuple[int, ...]], ...]


def shard_of(user_id: int) -> int:
    """The shard that carries every event of this person."""
    return user_id % SHARDS


def encode_event(event: Event) -> Iterator[tuple[int, bytes]]:
    """The payloads of an event, as (shard, JSON); none if nobody receives it."""
    match event:
        case NewMessage(message=message, content=content, recipients=recipients, part=part):
            shown = None if content == message.content else content
            body = {"m": orjson.Fragment(_message(message)), "c": shown}
            if message.filename is not None:
                body["f"] = message.filename
            if event.origin:
                body["o"] = event.origin
            yield from _shared("n", body, recipients, part)
        case MessageRecalled(message_id=message_id, recipients=recipients, part=part):
            yield from _shared("x", {"i": message_id}, recipients, part)
        case ConversationRead(user_id, conversation_id, up_to_id, unread_count):
            fields = [user_id, conversation_id, up_to_id, unread_count]
            yield shard_of(user_id), orjson.dumps({"k": "r", "f": fields})
        case AllRead(user_id, up_to_id, unread_count):
            yield (
                shard_of(user_id),
                orjson.dumps({"k": "a", "f": [user_id, up_to_id, unread_count]}),
            )
        case Disconnect(user_id, at_ms):
            yield shard_of(user_id), orjson.dumps({"k": "d", "f": [user_id, at_ms]})


def decode_event(payload: bytes) -> Event | None:
    """The event of a payload; None for a kind or a form that this version does not know."""
    try:
        return _decoded(orjson.loads(payload))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _decoded(fields: dict[str, Any]) -> Event | None:
    match fields["k"]:
        case "n":
            message = _read_message(fields["m"], filename=fields.get("f"))
            content = message.content if fields["c"] is None else fields["c"]
            recipients = _read_recipients(fields)
            return NewMessage(message, content, recipients, fields["p"], fields.get("o", ""))
        case "x":
            return MessageRecalled(fields["i"], _read_recipients(fields), fields["p"])
        case "r":
            return ConversationRead(*fields["f"])
        case "a":
            return AllRead(*fields["f"])
        case "d":
            return Disconnect(*fields["f"])
    return None


def _shared(
    kind: str, body: dict[str, Any], recipients: Recipients, part: int
) -> Iterator[tuple[int, bytes]]:
    for shard, share in _shares(recipients).items():
        yield shard, orjson.dumps({"k": kind, **body, "r": list(share.items()), "p": part})


def _shares(recipients: Recipients) -> dict[int, dict[int, list[int]]]:
    """Shard → conversation → users, everything in the order given."""
    shares: dict[int, dict[int, list[int]]] = {}
    for peer_id, user_ids in recipients:
        for user_id in user_ids:
            share = shares.setdefault(user_id % SHARDS, {})
            share.setdefault(peer_id, []).append(user_id)
    return shares


def _read_recipients(fields: dict[str, Any]) -> Recipients:
    return tuple((peer_id, tuple(user_ids)) for peer_id, user_ids in fields["r"])


def _message(message: Message) -> bytes:
    return orjson.dumps(_fields(message))


def _read_message(values: list[Any], *, filename: str | None) -> Message:
    named = dict(zip(MESSAGE_FIELDS, values, strict=True))
    named["type"] = MessageType(named["type"])
    named["content_type"] = ContentType(named["content_type"])
    named["created_at"] = datetime.fromisoformat(named["created_at"])
    return Message(**named, filename=filename)
