"""Each cause writes exactly one event, in its own transaction, for apps that asked and for nobody else."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine

from storage.model.app_event import AppEventType
from storage.postgres.broadcasts import cancellation, expansion, recalls
from storage.postgres.messages import conversations, persistence
from storage.postgres.sends import failed_sends, persist_lane, withdrawals
from tests.builders import a_broadcast, a_notification, a_send, accept, add_app, add_people
from tests.storage.postgres.app_events.steps import EVERY_TYPE, ask_for, count_rows, hear
from tests.storage.postgres.broadcasts.steps import LEASE, expand_all, plan_all


@pytest.fixture(autouse=True)
def people(engine: Engine) -> None:
    """Twenty people and apps 7 and 8."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
        add_app(connection)
        add_app(connection, 8)


def list_types(engine: Engine) -> list[str]:
    """The types of all events of app 7, in order."""
    return [type for type, _ in hear(engine)]


def cause_everything(engine: Engine) -> None:
    """A dead letter of each kind, broadcasts that end in each way, and reads, all of app 7; most of it twice."""
    with engine.begin() as connection:
        dead = accept(connection, a_notification(client_ref="x"), a_broadcast())
        for _ in range(2):
            failed_sends.move_to_failed(connection, dead)
        failed_sends.drop(connection, dead)
    done = plan_all(engine)
    with engine.begin() as connection:
        expand_all(connection)
        expansion.close_if_done(connection, done)
        assert conversations.mark_all_read(connection, 3) == 1
        assert conversations.mark_read(connection, 4, peer_id=-7) == 1
        assert conversations.mark_all_read(connection, 3) == 0
    cancelled = plan_all(engine)
    for _ in range(2):
        with engine.begin() as connection:
            cancellation.cancel(connection, cancelled)
        with engine.begin() as connection:
            cancellation.discard_waiting(connection, cancelled)
    for _ in range(2):
        with engine.begin() as connection:
            recalls.start_recall(connection, done)
        while take_back(engine):
            pass
        with engine.begin() as connection:
            recalls.close_if_recalled(connection, done)


def take_back(engine: Engine) -> bool:
    """Take one chunk back and tell its people."""
    with engine.begin() as connection:
        chunk = recalls.take_back_next(connection, lease=LEASE)
        if chunk is not None:
            recalls.mark_recalled(connection, chunk)
        return chunk is not None


def test_each_cause_writes_one_event_however_often_it_is_repeated(engine: Engine) -> None:
    """Of two dead letters, three ends of broadcasts and two readers there are as many events, in their order."""
    ask_for(engine)
    cause_everything(engine)
    assert sorted(list_types(engine)) == sorted(EVERY_TYPE)
    heard = dict(hear(engine))
    assert heard["message.failed"]["client_ref"] == "x"
    assert heard["broadcast.done"]["total"] == 20
    assert heard["broadcast.done"]["broadcast_id"] == heard["broadcast.recalled"]["broadcast_id"]
    assert [read["user_id"] for read in heard["message.read"]["reads"]] == [3, 4]


def test_nothing_is_written_for_apps_that_did_not_ask(engine: Engine) -> None:
    """With another app that asked for everything, and this one for nothing, there is no row at all."""
    ask_for(engine, app_id=8)
    cause_everything(engine)
    with engine.begin() as connection:
        assert count_rows(connection) == 0


@pytest.mark.parametrize("type", EVERY_TYPE)
def test_an_app_hears_of_what_it_asked_for(engine: Engine, type: AppEventType) -> None:
    """An app that asked for one type has events of that type alone."""
    ask_for(engine, type)
    cause_everything(engine)
    assert set(list_types(engine)) == {type}
    with engine.begin() as connection:
        assert count_rows(connection) == 1


def test_what_is_rolled_back_was_no_cause(engine: Engine) -> None:
    """A worker that dies before its commit leaves no event, and the one that does it again leaves one."""
    ask_for(engine)
    id = plan_all(engine)
    with engine.begin() as connection:
        chunks = list(iter(lambda: expansion.expand_next(connection, lease=LEASE), None))
    with engine.connect() as dies:
        for chunk in chunks:
            expansion.mark_published(dies, chunk)
        dies.rollback()
    assert list_types(engine) == []
    for _ in range(2):
        with engine.begin() as connection:
            for chunk in chunks:
                expansion.mark_published(connection, chunk)
            expansion.close_if_done(connection, id)
    assert list_types(engine) == ["broadcast.done"]


@pytest.mark.parametrize(
    ("stop", "type"),
    [(cancellation.cancel, "broadcast.cancelled"), (recalls.start_recall, "broadcast.recalled")],
)
def test_a_broadcast_that_is_stopped_before_it_began_is_told(
    engine: Engine, stop: Callable[[Connection, int], None], type: str
) -> None:
    """A broadcast that is cancelled or recalled while it is accepted has one event; a single send has none."""
    ask_for(engine)
    with engine.begin() as connection:
        [id, single] = accept(connection, a_broadcast(), a_notification())
        stop(connection, id)
        stop(connection, id)
        assert withdrawals.withdraw(connection, single)
    assert hear(engine) == [(type, {"broadcast_id": id, "total": 0})]


def test_a_send_that_fails_five_times_is_told_once(engine: Engine) -> None:
    """The attempt that makes a send a dead letter is the only one that the app hears of."""
    ask_for(engine)
    with engine.begin() as connection:
        [id] = accept(connection, a_notification())
        deaths = [
            persist_lane.record_failure(connection, id, error="e", max_attempts=5) for _ in range(6)
        ]
    assert deaths == [False] * 4 + [True, False]
    assert hear(engine) == [("message.failed", {"message_id": id, "client_ref": None})]


def test_reads_of_what_an_app_sent_for_a_person_are_told_to_the_app(engine: Engine) -> None:
    """A message that the app sent in a person's name counts; one of the person's own, in the same conversation, does not."""
    ask_for(engine)
    with engine.begin() as connection:
        theirs = a_send(app_id=7, app_name="OA系统", sent_by_app_id=7)
        ids = accept(connection, theirs, a_send(), a_send(app_id=7, app_name="OA系统"))
        persistence.persist(connection, ids)
        assert conversations.mark_read(connection, 2, peer_id=1) == 3
    [(_, data)] = hear(engine)
    [read] = data["reads"]
    assert (read["message_id"], read["user_id"]) == (ids[0], 2)
