"""Cursors: what comes back is what was given out, or is refused."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.models.cursors import format_cursor, parse_cursor
from storage.model.conversation import ConversationCursor, ConversationKey
from storage.model.message import MAX_ID

pytestmark = pytest.mark.pure

instants = st.datetimes(timezones=st.just(UTC))
keys = st.builds(ConversationKey, instants, st.integers(1, MAX_ID))
cursors = st.builds(
    ConversationCursor, st.none() | keys, st.none() | instants, st.none() | instants
)
AT = 1773828600000000


def write(value: object) -> str:
    """A text like a cursor's that holds this JSON value."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(cursor=cursors)
def test_a_cursor_comes_back_as_it_was(cursor: ConversationCursor) -> None:
    """The text of a cursor needs no escapes in a URL and is read as the same cursor."""
    text = format_cursor(cursor)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert parse_cursor(text) == cursor


@given(text=st.text() | st.recursive(st.integers() | st.text() | st.none(), st.lists).map(write))
def test_any_other_text_is_refused_or_harmless(text: str) -> None:
    """Whatever a client sends is a cursor or a ValueError or TypeError, and nothing else."""
    try:
        found = parse_cursor(text)
    except (ValueError, TypeError):
        return
    assert isinstance(found, ConversationCursor)


@pytest.mark.parametrize(
    "value",
    [
        [2, None, None, None],
        [1, None, None],
        [1, [AT], None, None],
        [1, [AT, 0], None, None],
        [1, [AT, 2**53], None, None],
        [1, [None, 5], None, None],
        [1, None, 2**62, None],
        [1, None, None, "now"],
        {"1": 1},
    ],
)
def test_what_was_never_given_out_is_refused(value: object) -> None:
    """A cursor of another version, without a part, or with a part that cannot be is refused."""
    with pytest.raises((ValueError, TypeError)):
        parse_cursor(write(value))


def test_a_cursor_is_short() -> None:
    """A cursor is short enough for any URL."""
    at = datetime.max.replace(tzinfo=UTC)
    assert len(format_cursor(ConversationCursor(ConversationKey(at, MAX_ID), at, at))) < 150
