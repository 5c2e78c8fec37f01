"""Reads and recalls against writers: what is locked, for how long, and which message is the last one afterwards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.postgres.messages import conversations, history, lookup, persistence, recalls
from tests.builders import a_send, accept, add_people
from tests.counters import find_drift


def recall(engine: Engine, id: int) -> bool:
    """Take a message back."""
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
        assert found is not None
        return recalls.recall(connection, found.message)


@pytest.mark.parametrize("what", ["read", "read_all", "recall"])
def test_reading_and_recalling_hold_no_lock_between_two_round_trips(
    engine: Engine, what: str
) -> None:
    """A read and a recall are one statement each, so that a process that hangs behind it holds no lock (fault row 39)."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
        persistence.persist(connection, [id])
        found = lookup.find_message(connection, id)
        assert found is not None
    asked: dict[str, Callable[[Connection], object]] = {
        "read": lambda c: conversations.mark_read(c, 2, peer_id=1),
        "read_all": lambda c: conversations.mark_all_read(c, 2),
        "recall": lambda c: recalls.recall(c, found.message),
    }
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        assert asked[what](connection)
        with engine.begin() as other:
            free = "SELECT count(*) FROM conversations WHERE user_id = 2"
            assert other.execute(text(f"{free} AND unread_count = 0")).scalar() == (
                what != "recall"
            )
            other.execute(text("SELECT 1 FROM conversations FOR UPDATE NOWAIT"))


def waits_for_a_lock(engine: Engine, number: int) -> bool:
    """Whether so many sessions wait for another's lock."""
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return int(connection.execute(text(question)).scalar_one()) >= number


def test_what_comes_while_a_recall_waits_is_still_the_last_message(
    engine: Engine,
) -> None:
    """Recalls that waited for a send, and for one another, leave the newest message that is there."""
    with engine.begin() as connection:
        first, second, third = accept(connection, *[a_send() for _ in range(3)])
        persistence.persist(connection, [first, second, third])
        last, newest = accept(connection, a_send(), a_send())
    with ThreadPoolExecutor(3) as pool, engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM conversations FOR UPDATE"))
        for id in (third, second):
            pool.submit(recall, engine, id)
        reading = pool.submit(read_everything, engine)
        assert wait_until(lambda: waits_for_a_lock(engine, 3), seconds=10)
        persistence.persist(connection, [last])
    assert reading.result() in (1, 2, 3)
    with engine.begin() as connection:
        for person, peer in ((1, 2), (2, 1)):
            page = history.list_history(connection, person, peer_id=peer)
            assert [view.message.id for view in page] == [last, first]
        rows = connection.execute(text("SELECT last_message_id FROM conversations")).scalars()
        assert set(rows) == {last}
        assert find_drift(connection) == []
        assert conversations.count_unread(connection, 2).messages == 1
        persistence.persist(connection, [newest])
    assert recall(engine, newest) and recall(engine, last)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT last_message_id FROM conversations")).scalars()
        assert set(rows) == {first}


def read_everything(engine: Engine) -> int:
    """Person 2 reads all."""
    with engine.begin() as connection:
        return conversations.mark_all_read(connection, 2)


def test_a_recalled_message_leaves_the_list_as_if_it_had_never_been(engine: Engine) -> None:
    """After a recall the list shows the message before; a conversation that had nothing else is gone."""
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
