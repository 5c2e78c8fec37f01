"""Changes of cards against whatever else happens to the message: persisting, recalls, other changes, retention."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.model.message import CardState, Message, MessageStatus
from storage.postgres.messages import cards, history, lookup, persistence, recalls, retention, todos
from storage.postgres.messages.cards import (
    CardChange,
    ChangeAnswer,
    ChangeStamp,
    HasMovedOn,
)
from storage.postgres.messages.partitions import Month
from storage.postgres.sends import failed_sends
from tests.builders import a_notification, accept, add_app, add_people

PENDING: dict[str, Any] = {"state": CardState.PENDING, "ref": "r"}


def make_card(engine: Engine, *, is_delivered: bool) -> int:
    """A pending card of app 7 to person 2; its id."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, [1, 2])
        [id] = accept(connection, a_notification(**PENDING))
        if is_delivered:
            persistence.persist(connection, [id])
    return id


def find(connection: Connection, id: int) -> Message:
    """The message, wherever it is."""
    found = lookup.find_message(connection, id)
    assert found is not None
    return found.message


def finish(connection: Connection, seen: Message) -> None:
    """Make a card that was seen in this form a done one."""
    message = seen._replace(version=(seen.version or 1) + 1, state=CardState.DONE)
    stamp = ChangeStamp(ChangeAnswer(message, None, 1), None, "test")
    cards.change_all(connection, [CardChange(message, message.content)], stamp)


def try_in_turn(
    engine: Engine, first: Callable[[Connection], object], then: Callable[[Connection], object]
) -> object:
    """Begin `first`, let `then` wait for it, commit; what `then` came to, or the exception that it raised."""

    def run() -> object:
        try:
            with engine.begin() as connection:
                return then(connection)
        except HasMovedOn as error:
            return error

    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            first(connection)
            waiting = pool.submit(run)
            assert wait_until(lambda: waits_for_a_lock(engine) or waiting.done(), seconds=20)
        return waiting.result()


def waits_for_a_lock(engine: Engine) -> bool:
    """Whether a session waits for another's lock."""
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return int(connection.execute(text(question)).scalar_one()) > 0


def list_events(engine: Engine) -> list[str]:
    """The kinds of the events in the outbox, in their order."""
    with engine.begin() as connection:
        found = connection.execute(text("SELECT event ->> 'k' FROM outbox ORDER BY number"))
        return list(found.scalars())


def test_what_is_persisted_behind_a_change_is_the_new_form(engine: Engine) -> None:
    """The persist lane waits for a change of the row that it claimed, and delivers what it became; no event of a change."""
    id = make_card(engine, is_delivered=False)
    with engine.begin() as connection:
        seen = find(connection, id)
    persisted: Any = try_in_turn(
        engine, lambda c: finish(c, seen), lambda c: persistence.persist(c, [id])
    )
    assert [(one.message.state, one.message.version) for one in persisted] == [("DONE", 2)]
    assert list_events(engine) == []
    with engine.begin() as connection:
        assert todos.list_todos(connection, 2, state=CardState.PENDING, limit=9) == []
        [todo] = todos.list_todos(connection, 2, state=CardState.DONE, limit=9)
        assert todo.message == persisted[0].message


def test_a_change_of_what_was_just_persisted_looks_again(engine: Engine) -> None:
    """A change that waited while its message moved to the histories changes nothing, and then changes it there."""
    id = make_card(engine, is_delivered=False)
    with engine.begin() as connection:
        seen = find(connection, id)
    outcome = try_in_turn(engine, lambda c: persistence.persist(c, [id]), lambda c: finish(c, seen))
    assert isinstance(outcome, HasMovedOn)
    assert list_events(engine) == []
    with engine.begin() as connection:
        finish(connection, find(connection, id))
        [view] = history.list_history(connection, 2, peer_id=-7)
        assert (view.message.state, view.message.version) == ("DONE", 2)
    assert list_events(engine) == ["u"]


def test_of_two_changes_of_one_form_one_is_made(engine: Engine) -> None:
    """A change that waited for another of the same version is not made, and leaves nothing behind."""
    id = make_card(engine, is_delivered=True)
    with engine.begin() as connection:
        seen = find(connection, id)
    outcome = try_in_turn(engine, lambda c: finish(c, seen), lambda c: finish(c, seen))
    assert isinstance(outcome, HasMovedOn)
    assert list_events(engine) == ["u"]
    with engine.begin() as connection:
        assert [one.version for one in cards.list_versions(connection, id, limit=9)] == [2]


@pytest.mark.parametrize("is_recall_first", [True, False])
def test_a_change_and_a_recall_end_with_the_recall(
    engine: Engine, *, is_recall_first: bool
) -> None:
    """Whichever is first, nobody has the message or the to-do afterwards; of a change behind the recall nobody is told."""
    id = make_card(engine, is_delivered=True)
    with engine.begin() as connection:
        seen = find(connection, id)
    if is_recall_first:
        assert isinstance(
            try_in_turn(engine, lambda c: recalls.recall(c, seen), lambda c: finish(c, seen)),
            HasMovedOn,
        )
    else:
        assert try_in_turn(engine, lambda c: finish(c, seen), lambda c: recalls.recall(c, seen))
    assert list_events(engine) == (["x"] if is_recall_first else ["u", "x"])
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM todos")).scalar() == 0
        found = lookup.find_message(connection, id)
        assert found is not None
        assert found.status is MessageStatus.RECALLED


def test_a_dead_letter_that_is_moved_meanwhile_is_looked_at_again(engine: Engine) -> None:
    """A change that waited while its send became a dead letter changes nothing, and then changes it there."""
    id = make_card(engine, is_delivered=False)
    with engine.begin() as connection:
        seen = find(connection, id)
    outcome = try_in_turn(
        engine, lambda c: failed_sends.move_to_failed(c, [id]), lambda c: finish(c, seen)
    )
    assert isinstance(outcome, HasMovedOn)
    with engine.begin() as connection:
        finish(connection, find(connection, id))
        assert (find(connection, id).state, find(connection, id).version) == ("DONE", 2)


def test_changes_of_many_in_opposite_orders_do_not_block_each_other(engine: Engine) -> None:
    """Two that change the same hundred messages at once, given in opposite orders, end: one makes them, one looks again."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, [1, 2])
        ids = accept(connection, *[a_notification(**PENDING) for _ in range(100)])
        persistence.persist(connection, ids)
        seen = [find(connection, id) for id in ids]
    changes = [
        CardChange(one._replace(version=2, state=CardState.DONE), one.content) for one in seen
    ]
    stamp = ChangeStamp(ChangeAnswer(None, None, 100), None, "test")

    def run(given: list[CardChange]) -> bool:
        try:
            with engine.begin() as connection:
                cards.change_all(connection, given, stamp)
        except HasMovedOn:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(run, [changes, changes[::-1]]))
    assert sorted(made) == [False, True]
    assert list_events(engine) == ["u"] * 100


def test_what_belongs_to_cards_goes_with_their_month(engine: Engine) -> None:
    """Dropping a month lets its to-dos, its refs and its versions go, a slice at a time, and those of other months stay."""
    id = make_card(engine, is_delivered=True)
    with engine.begin() as connection:
        finish(connection, find(connection, id))
        before = Month(suffix="_before", low=0, high=id)
        assert not retention.drop_cards(connection, before, slice=10)
        assert [count(connection, table) for table in TABLES] == [1, 1, 1]
        its = Month(suffix="_its", low=id, high=id + 1)
        slices = 0
        while retention.drop_cards(connection, its, slice=1):
            slices += 1
        assert slices >= 1
        assert [count(connection, table) for table in TABLES] == [0, 0, 0]


TABLES = ("todos", "card_refs", "card_versions")


def count(connection: Connection, table: str) -> int:
    """How many rows a table has."""
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
