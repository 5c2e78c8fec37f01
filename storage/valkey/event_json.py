"""The JSON of events on the bus, both ways, and which shard carries which event.

All events of a person go to that person's one shard (docs/decisions/0012-streams-as-bus.md). So an event to many
people becomes one payload for each shard that has recipients, and names those alone. When this form changes, the code
must still read what was written before: publishers and readers are restarted one after the other. The outbox keeps
the same form (`storage/postgres/outbox.py`).
"""

from collections.abc import Callable, Iterator
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
    MessageUpdated,
    NewMessage,
)
from storage.model.message import ContentType, Message, MessageType

SHARDS = 16

# A message travels as a list in this order. A field that came later has a key of its own instead, which readers of
# an older version ignore: `f`, the file's name, `w`, what the sender's client calls its send, and `s`, a list of what
# cards have (CARD_FIELDS).
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
CARD_FIELDS = ("state", "state_text", "ref", "version")

_fields = attrgetter(*MESSAGE_FIELDS)
_card_fields = attrgetter(*CARD_FIELDS)
# Kinds whose events are a list of numbers.
_PLAIN: dict[str, Callable[..., Event]] = {"r": ConversationRead, "a": AllRead, "d": Disconnect}
_NO_CARD = (None,) * len(CARD_FIELDS)

Recipients = tuple[tuple[int, tuple[int, ...]], ...]


def shard_of(user_id: int) -> int:
    """The shard that carries every event of this person."""
    return user_id % SHARDS


def encode_event(event: Event) -> Iterator[tuple[int, bytes]]:
    """Encode an event: a (shard, JSON) pair for each shard that has recipients; none if nobody receives it."""
    match event:
        case NewMessage(message=message, content=content, recipients=recipients, part=part):
            body = _write_message(message, content)
            if event.origin:
                body["o"] = event.origin
            yield from _encode_shares("n", body, recipients, part)
        case MessageUpdated(message=message, content=content, recipients=recipients, part=part):
            yield from _encode_shares("u", _write_message(message, content), recipients, part)
        case MessageRecalled(message_id=message_id, recipients=recipients, part=part):
            yield from _encode_shares("x", {"i": message_id}, recipients, part)
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


def encode_for_outbox(event: MessageUpdated) -> bytes:
    """The JSON of an event for all of its people at once, as the outbox keeps it."""
    body = _write_message(event.message, event.content)
    return orjson.dumps({"k": "u", **body, "r": event.recipients, "p": event.part})


def decode_event(payload: bytes) -> Event | None:
    """Decode a payload; None for a kind or a form that this version does not know."""
    try:
        return _parse_fields(orjson.loads(payload))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _parse_fields(fields: dict[str, Any]) -> Event | None:
    match fields["k"]:
        case "n" | "u" as kind:
            message, content = _read_message(fields)
            recipients = _read_recipients(fields)
            if kind == "u":
                return MessageUpdated(message, content, recipients, fields["p"])
            return NewMessage(message, content, recipients, fields["p"], fields.get("o", ""))
        case "x":
            return MessageRecalled(fields["i"], _read_recipients(fields), fields["p"])
        case "r" | "a" | "d" as kind:
            return _PLAIN[kind](*fields["f"])
    return None


def _encode_shares(
    kind: str, body: dict[str, Any], recipients: Recipients, part: int
) -> Iterator[tuple[int, bytes]]:
    for shard, share in _group_by_shard(recipients).items():
        yield shard, orjson.dumps({"k": kind, **body, "r": list(share.items()), "p": part})


def _group_by_shard(recipients: Recipients) -> dict[int, dict[int, list[int]]]:
    """Shard → peer → users, all in the order given."""
    shares: dict[int, dict[int, list[int]]] = {}
    for peer_id, user_ids in recipients:
        for user_id in user_ids:
            # `shard_of`, written out: this runs for everybody in a broadcast.
            share = shares.setdefault(user_id % SHARDS, {})
            share.setdefault(peer_id, []).append(user_id)
    return shares


def _read_recipients(fields: dict[str, Any]) -> Recipients:
    return tuple((peer_id, tuple(user_ids)) for peer_id, user_ids in fields["r"])


def _write_message(message: Message, content: str) -> dict[str, Any]:
    shown = None if content == message.content else content
    body: dict[str, Any] = {"m": orjson.Fragment(orjson.dumps(_fields(message))), "c": shown}
    if message.filename is not None:
        body["f"] = message.filename
    if message.client_ref is not None:
        body["w"] = message.client_ref
    if (card := _card_fields(message)) != _NO_CARD:
        body["s"] = card
    return body


def _read_message(fields: dict[str, Any]) -> tuple[Message, str]:
    """The message of an event, and its content as it is shown."""
    named = dict(zip(MESSAGE_FIELDS, fields["m"], strict=True))
    named["type"] = MessageType(named["type"])
    named["content_type"] = ContentType(named["content_type"])
    named["created_at"] = datetime.fromisoformat(named["created_at"])
    card = dict(zip(CARD_FIELDS, fields.get("s", _NO_CARD), strict=True))
    message = Message(**named, filename=fields.get("f"), client_ref=fields.get("w"), **card)
    return message, message.content if fields["c"] is None else fields["c"]
