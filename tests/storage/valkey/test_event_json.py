"""The JSON of events on the bus: every event survives the way there and back."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.event import (
    AllRead,
    ConversationRead,
    Disconnect,
    Event,
    MessageRecalled,
    MessageUpdated,
    NewMessage,
)
from storage.model.message import MAX_ID, CardState, ContentType, Message, MessageType
from storage.valkey.event_json import decode_event, encode_event, encode_for_outbox, shard_of

ids = st.integers(0, MAX_ID)
peers = st.integers(-MAX_ID, MAX_ID)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
instants = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))
shares = st.tuples(peers, st.lists(ids, min_size=1, unique=True, max_size=40).map(tuple))
recipients = st.lists(shares, max_size=4, unique_by=lambda share: share[0]).map(tuple)
messages = st.builds(
    Message,
    id=ids,
    sender_id=st.none() | ids,
    receiver_id=st.none() | ids,
    app_id=st.none() | ids,
    app_name=st.none() | texts,
    sent_by_app_id=st.none() | ids,
    type=st.sampled_from(MessageType),
    content_type=st.sampled_from(ContentType),
    title=texts,
    content=texts,
    action_url=st.none() | texts,
    action_text=st.none() | texts,
    is_broadcast=st.booleans(),
    created_at=instants,
    filename=st.none() | texts,
    client_ref=st.none() | texts,
    state=st.none() | st.sampled_from(CardState),
    state_text=st.none() | texts,
    ref=st.none() | texts,
    version=st.none() | st.integers(2, 1_000_000),
)
events = st.one_of(
    st.builds(NewMessage, messages, texts, recipients, ids),
    st.builds(MessageUpdated, messages, texts, recipients, ids),
    st.builds(MessageRecalled, ids, recipients, ids),
    st.builds(ConversationRead, ids, peers, ids, ids),
    st.builds(AllRead, ids, ids, ids),
    st.builds(Disconnect, ids, ids),
)


def people(event: Event) -> list[tuple[int, int]]:
    """Everyone whom an event is for, with the peer of the conversation."""
    match event:
        case (
            NewMessage(recipients=shares)
            | MessageUpdated(recipients=shares)
            | MessageRecalled(recipients=shares)
        ):
            return sorted((peer, user) for peer, users in shares for user in users)
        case ConversationRead(user_id, conversation_id):
            return [(conversation_id, user_id)]
        case Disconnect(user_id) | AllRead(user_id):
            return [(0, user_id)]


@given(events)
def test_an_event_comes_back_as_it_was_on_the_shards_of_its_people(event: Event) -> None:
    """Every payload of an event decodes to it, for the people of its shard alone; together they reach everyone."""
    found: list[tuple[int, int]] = []
    for shard, payload in encode_event(event):
        back = decode_event(payload)
        assert back is not None
        assert back.key == event.key
        assert all(shard_of(user_id) == shard for _, user_id in people(back))
        if isinstance(event, NewMessage | MessageUpdated):
            assert type(back) is type(event)
            assert (back.message, back.content, back.part) == (
                event.message,
                event.content,
                event.part,
            )
        elif not isinstance(event, MessageRecalled):
            assert back == event
        found += people(back)
    assert sorted(found) == people(event)


@given(st.builds(MessageUpdated, messages, texts, recipients, ids))
def test_the_outbox_has_an_event_for_all_of_its_people_at_once(event: MessageUpdated) -> None:
    """What the outbox keeps of a changed card decodes to the same event."""
    assert decode_event(encode_for_outbox(event)) == event


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b'{"k":"?"}', b'{"k":"n"}', b"\xff"])
def test_what_this_version_cannot_read_is_no_event(payload: bytes) -> None:
    """A payload of a later version, or one that is malformed, decodes to None and raises nothing."""
    assert decode_event(payload) is None
