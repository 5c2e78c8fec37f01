"""The persist lane on a real database and a real bus, with what can go wrong on the way."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from time import sleep
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from storage.model.errors import TransientError
from storage.model.event import NewMessage
from storage.model.message import ContentType, MessageStatus
from storage.postgres.database import Session
from storage.postgres.messages import history, lookup, persistence
from storage.postgres.sends import backlog, failed_sends, persist_lane
from storage.valkey.bus import Bus
from tests.builders import a_broadcast, a_notification, a_send, accept
from tests.counters import find_drift
from workers import persist
from workers.services import Services, open_services


def heard(services: Services) -> Any:
    """The bus of `process`, which remembers."""
    return services.bus


def test_what_was_accepted_is_in_the_history_published_and_let_go(
    services: Services, engine: Engine
) -> None:
    """One drain takes everything through, in order."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n) for n in range(2, 30)])
    assert persist.drain(services) == len(ids)
    assert heard(services).ids() == ids
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 0
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar() == 0
        assert len(history.list_history(connection, 5, peer_id=1)) == 1


def test_an_event_goes_to_both_people_each_in_their_conversation(
    services: Services, engine: Engine
) -> None:
    """A private message is an event for receiver and sender (contract §5)."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_notification())
    persist.drain(services)
    private, notification = heard(services).events
    assert isinstance(private, NewMessage) and isinstance(notification, NewMessage)
    assert private.recipients == ((1, (2,)), (2, (1,)))
    assert notification.recipients == ((-7, (2,)),)
    assert notification.message.app_name == "OA系统"


def test_media_is_published_as_a_url(services: Services, engine: Engine) -> None:
    """Clients get something they can open, never an object key, and the file's own name."""
    send = a_send(content_type=ContentType.IMAGE, content="some/key.png", filename="图.png")
    with engine.begin() as connection:
        accept(connection, send)
    persist.drain(services)
    [event] = heard(services).events
    assert isinstance(event, NewMessage)
    assert event.content.startswith("http") and "some/key.png" in event.content
    assert event.message.filename == "图.png"
    assert "name=%E5%9B%BE.png" in event.content


def test_with_the_bus_away_histories_fill_and_events_follow_in_order(
    services: Services, engine: Engine
) -> None:
    """Nothing waits for the bus but the frames; when it is back they come oldest first."""
    bus = heard(services)
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
    """The next holder publishes what was persisted and not let go, before anything newer."""
    with engine.begin() as connection:
        [orphan] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [orphan]
        persistence.persist(connection, [orphan])
        [newer] = accept(connection, a_send())
    persist.drain(services)
    assert heard(services).ids() == [orphan, newer]


def test_a_worker_that_died_with_two_batches_in_hand_is_made_good(
    services: Services, engine: Engine
) -> None:
    """One batch is on its way to the bus while the next is persisted: neither event is lost."""
    with engine.begin() as connection:
        [publishing] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [publishing]
        persistence.persist(connection, [publishing])
        [persisting] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10, publishing=[publishing]).ids == [persisting]
        persistence.persist(connection, [persisting])
        [newer] = accept(connection, a_send())
    persist.drain(services)
    assert heard(services).ids() == [publishing, persisting, newer]


def test_a_batch_is_claimed_until_it_is_on_the_bus(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus takes one batch once the next is claimed, and the claim names both."""
    with engine.begin() as connection:
        ids = accept(connection, a_send(), a_send(), a_send())
    seen: list[list[int]] = []
    claim_next = persist_lane.claim

    def claim_slowly(
        connection: Connection, limit: int, *, publishing: list[int]
    ) -> persist_lane.Claim:
        """Long enough for a bus that does not wait for it to see the claim before."""
        sleep(0.2)
        return claim_next(connection, limit, publishing=publishing)

    monkeypatch.setattr(persist_lane, "claim", claim_slowly)

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
    """The others of its batch are delivered at once; the fifth failure buries it (fault row 21)."""
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
    assert heard(services).ids() == before + after
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
    """A table that is away for a while (a rename, rights taken) makes sends late, and no dead letters."""
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
    assert sorted(heard(services).ids()) == ids


def end_rests(engine: Engine) -> None:
    """What failed and rests is due again, as after a while."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = created_at"))


def test_everything_of_the_lane_is_asked_on_the_session_that_holds_it(
    services: Services, engine: Engine
) -> None:
    """A holder that has lost its session, and with it the lane, can judge and write nothing any more."""

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
    assert heard(services).ids() == [left]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT attempts FROM accepted")).scalar_one() == 1


def test_two_workers_at_once_deliver_everything_once_and_in_order(
    services: Services, engine: Engine
) -> None:
    """Whoever does not get the lane goes home; nothing is doubled and order is kept."""

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
    published = heard(services).ids()
    assert sorted(published) == sorted(chain.from_iterable(by_sender))
    for ids in by_sender:
        assert [id for id in published if id in set(ids)] == ids
    with engine.begin() as connection:
        assert len(history.list_history(connection, 2, peer_id=1, limit=100)) == 60
        assert find_drift(connection) == []


def test_a_holder_gives_the_queue_back_after_its_time(services: Services, engine: Engine) -> None:
    """With work left when the time is up it rings itself and goes."""
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
    """Persisting a broadcast makes it pending; its events are the lanes' to publish."""
    with engine.begin() as connection:
        accept(connection, a_broadcast())
    persist.drain(services)
    doorbell: Any = services.doorbell
    assert doorbell.rung == ["broadcasts"]
    assert heard(services).events == []
    with engine.begin() as connection:
        assert connection.execute(text("SELECT status FROM broadcasts")).scalar() == "PENDING"
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar() == 0


def test_the_real_bus_takes_the_events(environ: Mapping[str, str], engine: Engine) -> None:
    """With Valkey in its place a drain leaves an entry for each person's shard."""
    opened = open_services(environ)
    with engine.begin() as connection:
        accept(connection, a_send())
    persist.drain(opened)
    assert isinstance(opened.bus, Bus)
    assert opened.bus.tend().entries == 2
    opened.doorbell.close()
    opened.bus.close()
    opened.database.close()


def test_what_is_persisted_is_measured(services: Services, engine: Engine) -> None:
    """Batches, their size, and both delays; a bus that is away is asked twice."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_send())
    persist.drain(services)
    heard(services).is_away = True
    with engine.begin() as connection:
        accept(connection, a_send())
    persist.drain(services)
    value = services.telemetry.registry.get_sample_value
    assert value("carillon_persist_batch_size_sum") == 3
    assert value("carillon_persist_seconds_count") == 2
    assert value("carillon_accepted_to_persisted_seconds_count") == 2
    assert value("carillon_accepted_to_published_seconds_count") == 1
    assert value("carillon_publish_failures_total") == 2
