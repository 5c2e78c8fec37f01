"""The text of `cursor` in the conversation list (contract §4): opaque to clients, checked when it comes back. Pure.

It holds no secret and is not signed: a client that makes one up changes only what it sees of its own list.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import orjson

from storage.model.conversation import ConversationCursor, ConversationKey
from storage.model.message import MAX_ID

CURSOR_LENGTH = 512  # none is as long
_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def format_cursor(cursor: ConversationCursor) -> str:
    """The text of a cursor, of characters that a URL takes as they are."""
    key = cursor.before
    fields = [
        _VERSION,
        None if key is None else [_to_microseconds(key.updated_at), key.last_message_id],
        _to_microseconds(cursor.down_to),
        _to_microseconds(cursor.begun_at),
    ]
    return urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def parse_cursor(text: str) -> ConversationCursor:
    """The cursor of a text that `format_cursor` made; raises ValueError for any other."""
    if len(text) > CURSOR_LENGTH:
        raise ValueError("longer than any cursor")
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    version, key, down_to, begun_at = orjson.loads(urlsafe_b64decode(padded))
    if version != _VERSION:
        raise ValueError("not a cursor of this version")
    return ConversationCursor(
        before=None if key is None else _parse_key(*key),
        down_to=_parse_instant(down_to),
        begun_at=_parse_instant(begun_at),
    )


def _parse_key(at: object, last_message_id: object) -> ConversationKey:
    updated_at = _parse_instant(at)
    if updated_at is None or type(last_message_id) is not int or not 0 < last_message_id <= MAX_ID:
        raise ValueError("not a place in a list")
    return ConversationKey(updated_at, last_message_id)


def _to_microseconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND


def _parse_instant(microseconds: object) -> datetime | None:
    if microseconds is None:
        return None
    if type(microseconds) is not int:
        raise ValueError("not an instant")
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise ValueError("not an instant") from error
