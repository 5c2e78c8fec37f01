"""Persisting: who gets a copy, and that the message stays the same."""

import pytest
from sqlalchemy import Engine, text

from storage.model.conversation import make_deliveries
from storage.model.send import Send
from storage.postgres.messages import lookup, persistence
from tests.builders import a_broadcast, a_notification, a_send, accept, add_app

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
    """`persist` gives copies to the same people, in the same conversations, as `make_deliveries` says (contract §2)."""
    with engine.begin() as connection:
        [(message, _)] = persistence.persist(connection, accept(connection, send))
        rows = connection.execute(
            text("SELECT user_id, peer_id, read_at IS NOT NULL AS is_read FROM deliveries")
        )
        assert {tuple(row) for row in rows} == {
            (copy.user_id, copy.peer_id, copy.is_read) for copy in make_deliveries(message)
        }


@pytest.mark.parametrize("send", EVERY_KIND)
def test_persist_answers_what_is_found_later(engine: Engine, send: Send) -> None:
    """The message that `persist` returns, which is published, is the one that is found later, field for field."""
    with engine.begin() as connection:
        add_app(connection)
        [(persisted, _)] = persistence.persist(connection, accept(connection, send))
        found = lookup.find_message(connection, persisted.id)
    assert found is not None
    shown_name = "OA系统" if persisted.app_id else None
    assert persisted._replace(app_name=shown_name) == found.message
