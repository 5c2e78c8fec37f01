"""A person's history: its order, its pages, and what it shows."""

from sqlalchemy import Engine

from storage.postgres.messages import conversations, history, persistence
from tests.builders import a_notification, a_send, accept, add_app


def test_a_history_is_newest_first_and_pages_by_key_and_by_skip(engine: Engine) -> None:
    """A history is newest first, and both ways of paging show every message once."""
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
    """`read_at` of a message that I sent is when the other person read it (contract §4)."""
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
