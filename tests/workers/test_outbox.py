"""What ingest changes is told by the record: in order, once, whatever is away (issue 16, B13)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.broker.queues import SENDS
from storage.model.event import AllRead, ConversationRead, MessageRecalled, NewMessage
from storage.postgres import outbox
from storage.postgres.messages import conversations, history, lookup, persistence, recalls
from storage.postgres.sends import backlog, due_work, persist_lane
from tests.builders import a_send, accept
from tests.counters import find_drift
from workers import persist, sweep
from workers.services import Services


def events(services: Services) -> list[Any]:
    """What the bus has got, in order."""
    bus: Any = services.bus
    return list(bus.events)


def recall(engine: Engine, id: int) -> bool:
    """Take a message back."""
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
        assert found is not None
        return recalls.recall(connection, found.message)


def test_a_recall_is_told_behind_its_message(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recalled between its persisting and its publishing, a message is pushed first, then taken back."""
    persist_all = persistence.persist

    def persist_and_recall(connection: Connection, ids: list[int]) -> Any:
        batch = persist_all(connection, ids)
        for id in ids:
            recall(engine, id)
        return batch

    monkeypatch.setattr(persistence, "persist", persist_and_recall)
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
    persist.drain(services)
    new, gone = events(services)
    assert isinstance(new, NewMessage) and new.message.id == id
    assert isinstance(gone, MessageRecalled) and gone.message_id == id
    assert set(gone.recipients) == set(new.recipients)
    with engine.begin() as connection:
        assert outbox.waiting(connection, 10) == []
        assert not due_work.has_due_work(connection)


def test_what_is_recalled_in_a_dead_worker_s_hand_never_comes_back(
    services: Services, engine: Engine
) -> None:
    """The next holder publishes what was left behind, but not what was recalled meanwhile."""
    with engine.begin() as connection:
        kept, gone = accept(connection, a_send(), a_send())
        persist_lane.claim(connection, 10)
        persistence.persist(connection, [kept, gone])
    recall(engine, gone)
    persist.drain(services)
    new, recalled = events(services)
    assert isinstance(new, NewMessage) and new.message.id == kept
    assert isinstance(recalled, MessageRecalled) and recalled.message_id == gone


def test_with_the_bus_away_reads_and_recalls_wait_and_follow_in_order(
    services: Services, engine: Engine
) -> None:
    """Nothing that ingest changed is lost while Valkey is away, nor does the lane spin meanwhile."""
    bus: Any = services.bus
    bus.is_away = True
    with engine.begin() as connection:
        first, second = accept(connection, a_send(), a_send())
    persist.drain(services)
    with engine.begin() as connection:
        assert conversations.mark_read(connection, 2, peer_id=1, up_to_id=first) == 1
        assert conversations.mark_all_read(connection, 2) == 1
    recall(engine, second)
    persist.drain(services)
    assert events(services) == []
    with engine.begin() as connection:
        assert len(outbox.waiting(connection, 10)) == 3
        assert due_work.has_due_work(connection)
    bus.is_away = False
    persist.drain(services)
    new, *told = events(services)
    assert isinstance(new, NewMessage) and new.message.id == first
    assert told[:2] == [ConversationRead(2, 1, first, 1), AllRead(2, second, 0)]
    assert isinstance(told[2], MessageRecalled) and len(told) == 3


def test_a_notice_that_the_bus_does_not_take_stays_in_the_outbox(
    services: Services, engine: Engine
) -> None:
    """The bus goes away while nothing but a read is in hand: it is told when the bus is back."""
    bus: Any = services.bus
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
    persist.drain(services)
    bus.is_away = True
    with engine.begin() as connection:
        assert conversations.mark_all_read(connection, 2) == 1
    persist.drain(services)
    with engine.begin() as connection:
        assert len(outbox.waiting(connection, 10)) == 1
    bus.is_away = False
    persist.drain(services)
    assert events(services)[1:] == [AllRead(2, id, 0)]


def test_many_notices_go_out_once_each_in_order(services: Services, engine: Engine) -> None:
    """More of them than a batch, and messages between them."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send() for _ in range(5)])
        persistence.persist(connection, ids)
        for id in ids:
            conversations.mark_read(connection, 2, peer_id=1, up_to_id=id)
        for n in range(1200):
            connection.execute(
                text(
                    "INSERT INTO outbox (event) VALUES (jsonb_build_object('k', 'r', 'f', "
                    "jsonb_build_array(3, 1, CAST(:n AS int), 0)))"
                ),
                {"n": n},
            )
        accept(connection, a_send())
    persist.drain(services)
    reads = [one for one in events(services) if isinstance(one, ConversationRead)]
    assert [one.up_to_id for one in reads] == [*ids, *range(1200)]
    with engine.begin() as connection:
        assert outbox.waiting(connection, 10) == []


def test_an_event_of_a_newer_version_is_set_aside_alone(services: Services, engine: Engine) -> None:
    """A kind that this version cannot read waits, is counted, and stops nothing."""
    with engine.begin() as connection:
        connection.execute(text('INSERT INTO outbox (event) VALUES (\'{"k": "future"}\')'))
        [id] = accept(connection, a_send())
        persistence.persist(connection, [id])
        conversations.mark_all_read(connection, 2)
    persist.drain(services)
    assert events(services) == [AllRead(2, id, 0)]
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).set_aside == 1
        assert not due_work.has_due_work(connection)


def test_the_sweep_rings_for_a_read_whose_ring_was_lost(services: Services, engine: Engine) -> None:
    """Ingest died before it rang: what is left in the outbox is overdue after the grace."""
    with engine.begin() as connection:
        persistence.persist(connection, accept(connection, a_send()))
        conversations.mark_all_read(connection, 2)
        assert not due_work.has_overdue_work(connection, grace=timedelta(minutes=1))
        connection.execute(text("UPDATE outbox SET try_at = try_at - interval '2 minutes'"))
        assert due_work.has_overdue_work(connection, grace=timedelta(minutes=1))
    assert SENDS in sweep.sweep(services)


@pytest.mark.parametrize("what", ["read", "read_all", "recall"])
def test_reading_and_recalling_hold_no_lock_between_two_round_trips(
    engine: Engine, what: str
) -> None:
    """Each is one statement to PostgreSQL: whoever hangs behind it holds nothing (fault row 39)."""
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
    services: Services, engine: Engine
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
        assert conversations.count_unread(connection, 2) == 1
        persistence.persist(connection, [newest])
    assert recall(engine, newest) and recall(engine, last)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT last_message_id FROM conversations")).scalars()
        assert set(rows) == {first}


def read_everything(engine: Engine) -> int:
    """Person 2 reads all."""
    with engine.begin() as connection:
        return conversations.mark_all_read(connection, 2)
