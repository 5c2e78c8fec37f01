"""Histories: who has a copy, in what order, and what a page shows."""

import pytest
from sqlalchemy import Engine, text

from storage.model.conversation import copies
from storage.model.message import MessageStatus
from storage.model.send import Send
from storage.postgres.messages import conversations, history, lookup, persistence, recalls
from storage.postgres.sends import failed_sends, persist_lane
from tests.builders import a_broadcast, a_notification, a_send, accept, add_app, add_people

EVERY_KIND = [
    a_send(),
    a_send(sender_id=2, receiver_id=2),
    a_notification(),
    a_notification(sender_id=9),
    a_send(sender_id=None, app_id=7, sent_by_app_id=7),
    a_send(sender_id=3, sent_by_app_id=7),
    a_notification(app_id=None, sent_by_app_id=None),
    a_broadcast(),
]


@pytest.mark.parametrize("send", EVERY_KIND)
def test_the_statement_and_the_model_agree_on_who_has_a_copy(engine: Engine, send: Send) -> None:
    """Contract §2's table, in SQL and in Python, is one table."""
    with engine.begin() as connection:
        [(message, _)] = persistence.persist(connection, accept(connection, send))
        rows = connection.execute(
            text("SELECT user_id, peer_id, read_at IS NOT NULL AS born_read FROM deliveries")
        )
        assert {tuple(row) for row in rows} == {
            (copy.user_id, copy.peer_id, copy.born_read) for copy in copies(message)
        }


@pytest.mark.parametrize("send", EVERY_KIND)
def test_persist_answers_what_is_found_later(engine: Engine, send: Send) -> None:
    """Field for field, the message that is published is the one in the history."""
    with engine.begin() as connection:
        add_app(connection)
        [(persisted, _)] = persistence.persist(connection, accept(connection, send))
        found = lookup.find_message(connection, persisted.id)
    assert found is not None
    shown_name = "OA系统" if persisted.app_id else None
    assert persisted._replace(app_name=shown_name) == found.message


def test_a_long_list_of_conversations_is_its_newest(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who has one with everybody is shown so many of them (contract §4), the newest."""
    monkeypatch.setattr(conversations, "LISTED", 2)
    with engine.begin() as connection:
        add_people(connection, range(1, 6))
        for sender in (5, 3, 4, 2):
            ids = accept(connection, a_send(sender_id=sender, receiver_id=1))
            persistence.persist(connection, ids)
        assert [one.peer_id for one in conversations.list_conversations(connection, 1)] == [2, 4]


def test_a_history_is_newest_first_and_pages_by_key_and_by_skip(engine: Engine) -> None:
    """Both ways of paging see every message once."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(content=str(n)) for n in range(7)])
        persistence.persist(connection, ids)
        whole = history.list_history(connection, 2, peer_id=1)
        skipped = history.list_history(connection, 2, peer_id=1, skip=2, limit=3)
        keyed = history.list_history(connection, 2, peer_id=1, before_id=ids[5], limit=3)
    assert [view.message.id for view in whole] == ids[::-1]
    assert [view.message.id for view in skipped] == ids[4:1:-1]
    assert [view.message.id for view in keyed] == ids[4:1:-1]


def test_read_at_of_a_message_i_sent_is_the_other_sides(engine: Engine) -> None:
    """Contract §4: `is_read` on my own message tells whether the other side has read it."""
    with engine.begin() as connection:
        persistence.persist(connection, accept(connection, a_send()))
        [mine] = history.list_history(connection, 1, peer_id=2)
        assert mine.read_at is None
    with engine.begin() as connection:
        conversations.mark_all_read(connection, 2)
        [mine] = history.list_history(connection, 1, peer_id=2)
        [theirs] = history.list_history(connection, 2, peer_id=1)
    assert mine.read_at == theirs.read_at is not None


def test_app_names_are_shown_where_the_message_is_an_apps(engine: Engine) -> None:
    """A notification carries its app's name, a private message none."""
    with engine.begin() as connection:
        add_app(connection)
        persistence.persist(connection, accept(connection, a_send(), a_notification()))
        [notification] = history.list_history(connection, 2, peer_id=-7)
        [private] = history.list_history(connection, 2, peer_id=1)
    assert notification.message.app_name == "OA系统"
    assert private.message.app_name is None


def test_a_message_is_found_wherever_it_is_on_its_way(engine: Engine) -> None:
    """ACCEPTED, DELIVERED, RECALLED and FAILED are told apart."""
    with engine.begin() as connection:
        delivered, waiting, failed = accept(connection, a_send(), a_send(), a_send())
        persistence.persist(connection, [delivered])
        failed_sends.move_to_failed(connection, [failed])

        def status(id: int) -> MessageStatus | None:
            found = lookup.find_message(connection, id)
            return found.status if found else None

        assert status(delivered) is MessageStatus.DELIVERED
        assert status(waiting) is MessageStatus.ACCEPTED
        assert status(failed) is MessageStatus.FAILED
        assert status(12345) is None
        for id in (delivered, waiting, failed):
            found = lookup.find_message(connection, id)
            assert found is not None
            recalls.recall(connection, found.message)
            assert status(id) is MessageStatus.RECALLED
        assert persist_lane.claim(connection, 10).ids == []


def test_only_the_receiver_has_received_it(engine: Engine) -> None:
    """`received_by` is empty for the sender and for strangers (contract §4, Callback URL)."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
        persistence.persist(connection, [id])
        assert lookup.find_received(connection, id, user_id=2) is not None
        assert lookup.find_received(connection, id, user_id=1) is None
        assert lookup.find_received(connection, id, user_id=3) is None


def test_a_recalled_message_leaves_the_list_as_if_it_had_never_been(engine: Engine) -> None:
    """The last message is the one before; a conversation of nothing else is gone."""
    with engine.begin() as connection:
        add_people(connection, (1, 2))
        first, last = accept(connection, a_send(content="first"), a_send(content="last"))
        persistence.persist(connection, [first, last])
    for id, previews in ((last, ["first"]), (first, [])):
        with engine.begin() as connection:
            found = lookup.find_message(connection, id)
            assert found is not None
            assert recalls.recall(connection, found.message)
            assert not recalls.recall(connection, found.message)
            for person in (1, 2):
                listed = conversations.list_conversations(connection, person)
                assert [c.last_content for c in listed] == previews


def test_the_list_shows_people_apps_and_the_system(engine: Engine) -> None:
    """Contract §4: names of the other side, newest first, previews cut at 200 characters."""
    with engine.begin() as connection:
        add_people(connection, (1, 2))
        add_app(connection)
        system = a_notification(app_id=None, app_name=None, sent_by_app_id=None)
        sends = (a_send(content="长" * 500), a_notification(), system)
        persistence.persist(connection, accept(connection, *sends))
        listed = conversations.list_conversations(connection, 2)
    assert [(c.peer_id, c.peer_username, c.peer_name) for c in listed] == [
        (0, "system", "系统通知"),
        (-7, "app_7", "OA系统"),
        (1, "13800000001", "人1"),
    ]
    assert listed[2].last_content == "长" * 200
