"""Lists of conversations: what they show, and how many."""

import pytest
from sqlalchemy import Engine

from storage.postgres.messages import conversations, persistence
from tests.builders import a_notification, a_send, accept, add_app, add_people


def test_a_long_list_of_conversations_is_its_newest(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with more conversations than are listed is shown the newest (contract §4)."""
    monkeypatch.setattr(conversations, "LISTED", 2)
    with engine.begin() as connection:
        add_people(connection, range(1, 6))
        for sender in (5, 3, 4, 2):
            ids = accept(connection, a_send(sender_id=sender, receiver_id=1))
            persistence.persist(connection, ids)
        assert [one.peer_id for one in conversations.list_conversations(connection, 1)] == [2, 4]


def test_the_list_shows_people_apps_and_the_system(engine: Engine) -> None:
    """A list shows the other side's name, newest first, with previews cut at 200 characters (contract §4)."""
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
