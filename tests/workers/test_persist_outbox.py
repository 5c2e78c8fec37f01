"""The persist lane publishes what ingest wrote into the outbox: in order, once, whatever is away."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from storage.model.event import AllRead, ConversationRead, MessageRecalled, NewMessage
from storage.postgres import outbox
from storage.postgres.messages import conversations, lookup, persistence, recalls
from storage.postgres.sends import backlog, due_work, persist_lane
from tests.builders import a_send, accept
from workers import persist
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
    """A message that is recalled between its persisting and its publishing is pushed first, then taken back."""
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
        assert outbox.list_waiting(connection, 10) == []
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
        assert len(outbox.list_waiting(connection, 10)) == 3
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
    """A read that the bus did not take is published when the bus is back, also if nothing else was in hand."""
    bus: Any = services.bus
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
    persist.drain(services)
    bus.is_away = True
    with engine.begin() as connection:
        assert conversations.mark_all_read(connection, 2) == 1
    persist.drain(services)
    with engine.begin() as connection:
        assert len(outbox.list_waiting(connection, 10)) == 1
    bus.is_away = False
    persist.drain(services)
    assert events(services)[1:] == [AllRead(2, id, 0)]


def test_many_notices_go_out_once_each_in_order(services: Services, engine: Engine) -> None:
    """More notices than fit into a batch, with messages between them, go out once each and in order."""
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
        assert outbox.list_waiting(connection, 10) == []


def test_an_event_of_a_newer_version_is_set_aside_alone(services: Services, engine: Engine) -> None:
    """An event of a kind that this version cannot read waits, is counted, and stops nothing."""
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
