"""The persist lane: every send comes into the histories and on the bus once, in order, whatever fails on the way."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.errors import TransientError
from storage.model.event import NewMessage
from storage.model.message import ContentType, MessageStatus
from storage.postgres.database import Session
from storage.postgres.messages import history, lookup, persistence
from storage.postgres.sends import backlog, failed_sends, persist_lane
from storage.valkey.bus import Bus
from tests.builders import a_broadcast, a_notification, a_send, accept
from tests.counters import find_drift
from workers import persist, publishing
from workers.publishing import Outcome
from workers.services import Services, open_services


def bus_of(services: Services) -> Any:
    """The bus of `services`, which remembers what was published."""
    return services.bus


def test_what_was_accepted_is_in_the_history_published_and_let_go(
    services: Services, engine: Engine
) -> None:
    """One drain persists and publishes everything that was accepted, in order, and leaves nothing behind."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n) for n in range(2, 30)])
    assert persist.drain(services) == len(ids)
    assert bus_of(services).ids() == ids
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 0
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar() == 0
        assert len(history.list_history(connection, 5, peer_id=1)) == 1


def test_an_event_goes_to_both_people_each_in_their_conversation(
    services: Services, engine: Engine
) -> None:
    """The event of a private message is for receiver and sender, each with the other as the conversation (contract §5)."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_notification())
    persist.drain(services)
    private, notification = bus_of(services).events
    assert isinstance(private, NewMessage) and isinstance(notification, NewMessage)
    assert private.recipients == ((1, (2,)), (2, (1,)))
    assert notification.recipients == ((-7, (2,)),)
    assert notification.message.app_name == "OA系统"


def test_media_is_published_as_a_url(services: Services, engine: Engine) -> None:
    """Clients get a URL that they can open, with the file's own name, and never an object key."""
    send = a_send(content_type=ContentType.IMAGE, content="some/key.png", filename="图.png")
    with engine.begin() as connection:
        accept(connection, send)
    persist.drain(services)
    [event] = bus_of(services).events
    assert isinstance(event, NewMessage)
    assert event.content.startswith("http") and "some/key.png" in event.content
    assert event.message.filename == "图.png"
    assert "name=%E5%9B%BE.png" in event.content


def test_with_the_bus_away_histories_fill_and_events_follow_in_order(
    services: Services, engine: Engine
) -> None:
    """While the bus is away messages come into the histories; when it is back their events come, oldest first."""
    bus = bus_of(services)
    bus.is_away = True
    with engine.begin() as connection:
        first = accept(connection, a_send(), a_send())
    persist.drain(services)
    with engine.begin() as connection:
        assert len(history.list_history(connection, 2, peer_id=1)) == 2
        second = accept(connection, a_send())
    persist.drain(services)
    assert bus.events == []
    bus.is_away = False
    persist.drain(services)
    assert bus.ids() == first + second


def test_a_worker_that_died_between_commit_and_publish_is_made_good(
    services: Services, engine: Engine
) -> None:
    """The next holder publishes what a dead holder had persisted, before anything newer."""
    with engine.begin() as connection:
        [orphan] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [orphan]
        persistence.persist(connection, [orphan])
        [newer] = accept(connection, a_send())
    persist.drain(services)
    assert bus_of(services).ids() == [orphan, newer]


def test_a_worker_that_died_with_two_batches_in_hand_is_made_good(
    services: Services, engine: Engine
) -> None:
    """A holder that dies while one batch is on its way to the bus and the next is persisted loses no event of either."""
    with engine.begin() as connection:
        [publishing] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [publishing]
        persistence.persist(connection, [publishing])
        [persisting] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10, publishing=[publishing]).ids == [persisting]
        persistence.persist(connection, [persisting])
        [newer] = accept(connection, a_send())
    persist.drain(services)
    assert bus_of(services).ids() == [publishing, persisting, newer]


class PublishAtOnce:
    """Stands where the publisher's thread is: what is started is published before the next line runs."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, publish: Callable[..., Outcome], *args: object) -> Future[Outcome]:
        """Publish; returns the outcome in a Future."""
        done: Future[Outcome] = Future()
        done.set_result(publish(*args))
        return done

    def shutdown(self) -> None:
        """Nothing is on its way."""


def test_a_batch_is_claimed_until_it_is_on_the_bus(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is published only when the next is claimed, and the claim names both until then."""
    with engine.begin() as connection:
        ids = accept(connection, a_send(), a_send(), a_send())
    seen: list[list[int]] = []
    monkeypatch.setattr(publishing, "ThreadPoolExecutor", PublishAtOnce)

    class WatchedBus:
        def publish(self, events: list[Any]) -> None:
            assert len(events) == 1
            with engine.begin() as connection:
                claim = connection.execute(text("SELECT ids FROM persist_claims")).scalar_one()
            seen.append(claim)

    one_at_a_time = replace(services.settings, persist_batch=1)
    bus: Any = WatchedBus()
    assert persist.drain(replace(services, bus=bus, settings=one_at_a_time)) == 3
    assert seen == [ids[:2], ids[1:], ids[2:]]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT ids FROM persist_claims")).scalar_one() == []


def test_a_poisoned_row_fails_alone_and_ends_among_the_dead_letters(
    services: Services, engine: Engine
) -> None:
    """The others of a bad row's batch are delivered at once; its fifth failure makes it a failed send (fault row 21)."""
    with engine.begin() as connection:
        before = accept(connection, *[a_send(receiver_id=n) for n in range(2, 12)])
        poison = connection.execute(
            text(
                "INSERT INTO accepted (id, type, content_type, title, content)"
                " VALUES (next_message_id(), 'MESSAGE', 'TEXT', 't', 'secret words') RETURNING id"
            )
        ).scalar_one()
        after = accept(connection, *[a_send(receiver_id=n) for n in range(2, 12)])
    assert persist.drain(services) == 20
    assert bus_of(services).ids() == before + after
    for _ in range(4):
        with engine.begin() as connection:
            assert failed_sends.find_failed(connection, poison) is None
            connection.execute(text("UPDATE accepted SET ring_at = now()"))
        persist.drain(services)
    with engine.begin() as connection:
        letter = failed_sends.find_failed(connection, poison)
        assert letter is not None
        assert letter.attempts == 5
        assert "null value" in letter.error and "secret words" not in letter.error
        found = lookup.find_message(connection, poison)
        assert found is not None and found.status is MessageStatus.FAILED


def test_what_fails_for_everyone_is_held_against_no_send(
    services: Services, engine: Engine
) -> None:
    """A table that is away for a while makes sends late, and makes no failed sends."""
    with engine.begin() as connection:
        ids = accept(connection, a_send(), a_send())
        connection.execute(text("ALTER TABLE conversations RENAME TO elsewhere"))
    for _ in range(6):
        end_rests(engine)
        with pytest.raises(TransientError):
            persist.drain(services)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO conversations"))
        assert failed_sends.list_failed(connection, limit=10) == []
    persisted = persist.drain(services)  # puts right what was left in hand, which rests once more
    end_rests(engine)
    assert persisted + persist.drain(services) == 2
    assert sorted(bus_of(services).ids()) == ids


def end_rests(engine: Engine) -> None:
    """What failed and rests is due again, as after a while."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = created_at"))


def test_everything_of_the_lane_is_asked_on_the_session_that_holds_it(
    services: Services, engine: Engine
) -> None:
    """The lane asks everything on the session that holds it: a holder that has lost that can write nothing any more."""

    class OnlyItsSession:
        def session(self) -> AbstractContextManager[Session]:
            return services.database.session()

        def run(self, *_: object, **__: object) -> None:
            raise AssertionError("asked on another session")

    database: Any = OnlyItsSession()
    with engine.begin() as connection:
        [left] = accept(connection, a_send())
        persist_lane.claim(connection, 10)
        connection.execute(text("INSERT INTO persist_holder (lane, holder) VALUES (0, 'dead')"))
        connection.execute(
            text(
                "INSERT INTO accepted (id, type, content_type, title, content)"
                " VALUES (next_message_id(), 'MESSAGE', 'TEXT', 't', 'no receiver')"
            )
        )
    assert persist.drain(replace(services, database=database)) == 1
    assert bus_of(services).ids() == [left]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT attempts FROM accepted")).scalar_one() == 1


def test_two_workers_at_once_deliver_everything_once_and_in_order(
    services: Services, engine: Engine
) -> None:
    """With several workers at once, nothing is delivered twice and each sender's messages stay in order."""

    def send_one_after_the_other(_: int) -> list[int]:
        ids = []
        for _ in range(15):
            with engine.begin() as connection:
                ids += accept(connection, a_send())
            persist.drain(services)
        return ids

    with ThreadPoolExecutor(4) as pool:
        by_sender = list(pool.map(send_one_after_the_other, range(4)))
    persist.drain(services)
    published = bus_of(services).ids()
    assert sorted(published) == sorted(chain.from_iterable(by_sender))
    for ids in by_sender:
        assert [id for id in published if id in set(ids)] == ids
    with engine.begin() as connection:
        assert len(history.list_history(connection, 2, peer_id=1, limit=100)) == 60
        assert find_drift(connection) == []


def test_a_holder_gives_the_queue_back_after_its_time(services: Services, engine: Engine) -> None:
    """A holder with work left when its time is up rings its queue and leaves the lane."""
    hurried = replace(
        services, settings=replace(services.settings, drain=timedelta(0), persist_batch=1)
    )
    with engine.begin() as connection:
        accept(connection, a_send(), a_send(), a_send())
    clock = iter(range(100))
    slow = replace(hurried, settings=replace(hurried.settings, drain=timedelta(seconds=2)))
    persist.drain(slow, now=lambda: float(next(clock)))
    doorbell: Any = services.doorbell
    assert doorbell.rung == ["sends"]


def test_a_broadcast_rings_its_own_queue_and_is_not_published_yet(
    services: Services, engine: Engine
) -> None:
    """A broadcast that is persisted is PENDING, rings the broadcast lanes and is not published by the persist lane."""
    with engine.begin() as connection:
        accept(connection, a_broadcast())
    persist.drain(services)
    doorbell: Any = services.doorbell
    assert doorbell.rung == ["broadcasts"]
    assert bus_of(services).events == []
    with engine.begin() as connection:
        assert connection.execute(text("SELECT status FROM broadcasts")).scalar() == "PENDING"
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar() == 0


def test_the_real_bus_takes_the_events(environ: Mapping[str, str], engine: Engine) -> None:
    """A drain with the real bus leaves one entry on it for each shard of the people."""
    opened = open_services(environ)
    with engine.begin() as connection:
        accept(connection, a_send())
    persist.drain(opened)
    assert isinstance(opened.bus, Bus)
    assert opened.bus.trim().entries == 2
    opened.doorbell.close()
    opened.bus.close()
    opened.database.close()


def test_what_is_persisted_is_measured(services: Services, engine: Engine) -> None:
    """The metrics count batches, their sizes, both delays, and each time that the bus did not take a batch."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_send())
    persist.drain(services)
    bus_of(services).is_away = True
    with engine.begin() as connection:
        accept(connection, a_send())
    persist.drain(services)
    value = services.metrics.registry.get_sample_value
    assert value("carillon_persist_batch_size_sum") == 3
    assert value("carillon_persist_seconds_count") == 2
    assert value("carillon_accepted_to_persisted_seconds_count") == 2
    assert value("carillon_accepted_to_published_seconds_count") == 1
    assert value("carillon_publish_failures_total") == 2
