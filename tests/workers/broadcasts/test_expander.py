"""Expanding: everyone gets a broadcast once, and an app's broadcasts reach everyone in order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastStatus, ChunkState
from storage.model.errors import TransientError
from storage.model.event import Event, NewMessage
from storage.postgres.broadcasts import cancellation, expansion, failures, recalls
from tests.workers.broadcasts.lanes import (
    PEOPLE,
    add_pending,
    end_rests,
    find_status,
    list_told,
    work_off,
)
from workers.broadcasts.lane import run_lane
from workers.broadcasts.planner import Planner
from workers.services import Services

LEASE = timedelta(seconds=30)


def test_everyone_gets_it_and_every_chunk_is_an_event(
    small_chunks: Services, engine: Engine
) -> None:
    """A lane plans, expands, publishes and closes a broadcast; its events together name everyone once."""
    [id] = add_pending(engine, {}, people=95)
    work_off(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.DONE
    bus: Any = small_chunks.bus
    named = [
        user
        for event in bus.events
        if isinstance(event, NewMessage)
        for peer, users in event.recipients
        if peer == -7
        for user in users
    ]
    assert sorted(named) == list(range(1, 96))
    assert len({event.key for event in bus.events}) == 10


def test_with_the_bus_away_it_is_not_done_but_delivered(
    small_chunks: Services, engine: Engine
) -> None:
    """A broadcast is in the histories while the bus is away, and DONE only when its events are published."""
    [id] = add_pending(engine, {}, people=30)
    bus: Any = small_chunks.bus
    bus.is_away = True
    run_lane(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.EXPANDING
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 30
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now()"))
    bus.is_away = False
    run_lane(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.DONE


def is_in_order(services: Services, ids: list[int]) -> bool:
    """Whether everybody was told of each of `ids` once, in this order."""
    heard: dict[int, list[int]] = {}
    for user, _, id in list_told(services):
        heard.setdefault(user, []).append(id)
    return heard == dict.fromkeys(PEOPLE, ids)


class InterruptedBus:
    """A bus that keeps what is published, and does something before it keeps the first event."""

    def __init__(self, first: Callable[[], None], *, kept: list[Event]) -> None:
        self._first: list[Callable[[], None]] = [first]
        self.events = kept

    def publish(self, events: list[Event]) -> None:
        """Do the one thing, if it was not done yet; then keep the events."""
        if self._first:
            self._first.pop()()
        self.events += events


def with_bus(services: Services, first: Callable[[], None]) -> Services:
    """The same services, with a bus that does `first` before it takes the first event."""
    kept: Any = services.bus
    bus: Any = InterruptedBus(first, kept=kept.events)
    return replace(services, bus=bus)


def test_an_apps_broadcasts_reach_everyone_in_order_though_a_lane_is_slow(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk is not published before an earlier broadcast's that another lane still has in hand; histories fill meanwhile."""
    ids = add_pending(engine, {}, {}, {})

    def others_go_on() -> None:
        work_off(small_chunks)
        with engine.begin() as connection:
            count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == 90

    work_off(with_bus(small_chunks, others_go_on))
    work_off(small_chunks)
    assert is_in_order(small_chunks, ids)
    assert [find_status(engine, id) for id in ids] == [BroadcastStatus.DONE] * 3


def test_an_apps_broadcasts_reach_everyone_in_order_when_the_bus_was_away(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk that the bus did not take is not overtaken by the app's next broadcast when the bus is back."""
    ids = add_pending(engine, {}, {})

    def be_away() -> None:
        raise TransientError("away")

    work_off(with_bus(small_chunks, be_away))
    for _ in range(3):
        end_rests(engine)
        work_off(small_chunks)
    assert is_in_order(small_chunks, ids)


def test_broadcasts_to_other_people_do_not_wait(small_chunks: Services, engine: Engine) -> None:
    """Only chunks that share people wait for each other, and not for one that has failed as often as it may."""
    add_pending(engine, {"audience": (1, 2, 3)}, {"audience": (7, 8)}, {"audience": (3, 4)})
    chunks = []
    for _ in range(3):
        Planner(small_chunks).plan_slice()
        with engine.begin() as connection:
            chunks.append(expansion.expand_next(connection, lease=LEASE))
    first, second, third = [chunk for chunk in chunks if chunk]
    assert [chunk.is_barred for chunk in (first, second, third)] == [False, False, True]
    end_rests(engine)
    with engine.begin() as connection:
        assert expansion.claim_unpublished(connection, lease=LEASE) == first
        assert expansion.claim_unpublished(connection, lease=LEASE) == second
        assert expansion.claim_unpublished(connection, lease=LEASE) is None
        for _ in range(small_chunks.settings.max_attempts):
            failures.record_chunk_failure(connection, first, state=ChunkState.EXPANDED, error="no")
        claimed = expansion.claim_unpublished(connection, lease=LEASE)
    assert claimed is not None and claimed.broadcast_id == third.broadcast_id


def test_a_lane_that_was_held_up_shows_nobody_what_was_recalled(
    small_chunks: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that was frozen past its lease, while others took the broadcast back, publishes nothing any more."""
    [id] = add_pending(engine, {})
    clock = [0.0]
    real = expansion.expand_next

    def freeze(*args: Any, **kwargs: Any) -> Any:
        chunk = real(*args, **kwargs)
        if chunk is not None and not clock[0]:
            clock[0] = 60.0
        return chunk

    def recalled(connection: Any, broadcast_id: int) -> Any:
        monkeypatch.setattr(expansion, "load_message", message)
        for step in (recalls.start_recall, cancellation.discard_waiting):
            with engine.begin() as own:
                step(own, id)
        end_rests(engine)
        work_off(small_chunks)
        return message(connection, broadcast_id)

    message = expansion.load_message
    monkeypatch.setattr(expansion, "expand_next", freeze)
    monkeypatch.setattr(expansion, "load_message", recalled)
    run_lane(small_chunks, now=lambda: clock[0])
    assert find_status(engine, id) is BroadcastStatus.RECALLED
    assert {what for _, what, _ in list_told(small_chunks)} == {"MessageRecalled"}
