"""The broadcast lanes, the sweep and upkeep, on a real database."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.model.broadcast import BroadcastStatus
from storage.model.event import MessageRecalled, NewMessage
from storage.postgres.broadcasts import cancellation, planning, recalls, reports
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import persistence
from storage.settings import ValkeySettings, load
from storage.valkey.bus import AsyncBus, BusSettings
from tests.builders import a_broadcast, a_send, accept, add_app, add_people
from tests.counters import find_drift
from workers import sweep
from workers.broadcasts.lane import run_lane
from workers.services import Services, open_services


@pytest.fixture
def small_chunks(services: Services) -> Services:
    """A process whose chunks are of ten people."""
    return replace(services, settings=replace(services.settings, chunk_size=10))


def pending(engine: Engine, *, people: int) -> int:
    """A broadcast that waits to be planned; its id."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, people + 1))
        [id] = accept(connection, a_broadcast(content="全员"))
        persistence.persist(connection, [id])
        connection.execute(text("DELETE FROM accepted"))
    return id


def status(engine: Engine, id: int) -> BroadcastStatus:
    """Where the broadcast stands."""
    with engine.begin() as connection:
        report = reports.find_report(connection, id, app_id=7)
    assert report is not None
    return report.status


def test_everyone_gets_it_and_every_chunk_is_an_event(
    small_chunks: Services, engine: Engine
) -> None:
    """One call plans, expands, publishes and closes; the events together name everyone once."""
    id = pending(engine, people=95)
    while run_lane(small_chunks):
        pass
    assert status(engine, id) is BroadcastStatus.DONE
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


def test_lanes_together_deliver_exactly_once(small_chunks: Services, engine: Engine) -> None:
    """Several lanes at once share the chunks; nobody gets two, no counter drifts."""
    id = pending(engine, people=200)

    def until_nothing_is_left(_: int) -> None:
        while run_lane(small_chunks):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(until_nothing_is_left, range(4)))
    sweep.sweep(small_chunks)  # closes it if two lanes were done at once
    assert status(engine, id) is BroadcastStatus.DONE
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 200
        assert find_drift(connection) == []


def test_with_the_bus_away_it_is_not_done_but_delivered(
    small_chunks: Services, engine: Engine
) -> None:
    """Chunks stay open until their event is out; the sweep rings, and then it is DONE."""
    id = pending(engine, people=30)
    bus: Any = small_chunks.bus
    bus.is_away = True
    run_lane(small_chunks)
    assert status(engine, id) is BroadcastStatus.EXPANDING
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 30
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now()"))
    bus.is_away = False
    run_lane(small_chunks)
    assert status(engine, id) is BroadcastStatus.DONE


def test_a_broadcast_is_taken_back_and_everyone_is_told(
    small_chunks: Services, engine: Engine
) -> None:
    """Lanes take it out chunk by chunk, also with the bus away for a while: then they are told later."""
    id = pending(engine, people=35)
    while run_lane(small_chunks):
        pass
    with engine.begin() as connection:
        recalls.start_recall(connection, id)
    bus: Any = small_chunks.bus
    bus.events.clear()
    bus.is_away = True
    run_lane(small_chunks)
    assert status(engine, id) is BroadcastStatus.RECALLING
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 0
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now()"))
    bus.is_away = False
    run_lane(small_chunks)
    assert status(engine, id) is BroadcastStatus.RECALLED
    told = [
        user
        for event in bus.events
        if isinstance(event, MessageRecalled)
        for _, users in event.recipients
        for user in users
    ]
    assert sorted(told) == list(range(1, 36))
    assert len({event.key for event in bus.events}) == 4


def test_the_sweep_finishes_what_a_door_that_died_began(services: Services, engine: Engine) -> None:
    """Stopped, and not discarded: nothing of it stands in the way of the app's next broadcast."""
    id = pending(engine, people=30)
    small = replace(services, settings=replace(services.settings, chunk_size=10))
    with engine.begin() as connection:
        planning.plan_next(connection, PlanLimits(10))
        cancellation.cancel(connection, id)
        [second] = accept(connection, a_broadcast())
        persistence.persist(connection, [second])
    assert sweep.sweep(small) == ["broadcasts"]
    while run_lane(small):
        pass
    assert status(engine, second) is BroadcastStatus.DONE
    assert status(engine, id) is BroadcastStatus.CANCELLED


def test_a_lane_yields_after_its_time(small_chunks: Services, engine: Engine) -> None:
    """With chunks left when the time is up it rings the queue and goes."""
    id = pending(engine, people=50)
    clock = iter(range(1000))
    run_lane(small_chunks, now=lambda: next(clock) / 3)
    assert status(engine, id) is BroadcastStatus.EXPANDING
    doorbell: Any = small_chunks.doorbell
    assert doorbell.rung[-1] == "broadcasts"
    run_lane(small_chunks)
    assert status(engine, id) is BroadcastStatus.DONE


def test_the_sweep_rings_for_what_nobody_rang(services: Services, engine: Engine) -> None:
    """Waiting past the grace, due schedules and open broadcasts are rung; an idle system is not."""
    eager = replace(services, settings=replace(services.settings, sweep_grace=timedelta(0)))
    assert sweep.sweep(eager) == []
    with engine.begin() as connection:
        accept(connection, a_send())
    assert sweep.sweep(services) == []
    assert sweep.sweep(eager) == ["sends"]
    pending(engine, people=3)
    assert sweep.sweep(eager) == ["broadcasts"]
    with engine.begin() as connection:
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(days=1)))
    assert sweep.sweep(eager) == ["broadcasts"]
    with engine.begin() as connection:
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(milliseconds=50)))
    assert wait_until(lambda: "sends" in sweep.sweep(services), seconds=10)
    value = services.telemetry.registry.get_sample_value
    assert value("carillon_sweep_rings_total", {"queue": "sends"}) == 2


def test_a_queue_that_holds_a_ring_is_not_rung_again(services: Services, engine: Engine) -> None:
    """A long backlog is not rung a hundred times."""
    eager = replace(services, settings=replace(services.settings, sweep_grace=timedelta(0)))
    doorbell: Any = services.doorbell
    doorbell.queue_lengths = lambda: {"sends": 1, "broadcasts": 1, "upkeep": 1}
    with engine.begin() as connection:
        accept(connection, a_send())
    assert sweep.sweep(eager) == []


def test_the_real_doorbell_counts_its_rings(environ: Mapping[str, str]) -> None:
    """A ring lies in its queue until a worker takes it, and the length tells."""
    opened = open_services(environ)
    assert opened.doorbell.is_reachable()
    assert opened.doorbell.queue_lengths()["sends"] == 0
    opened.doorbell.ring("sends")
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while opened.doorbell.queue_lengths()["sends"] == 0:
        assert datetime.now(UTC) < deadline
    opened.doorbell.close()
    opened.database.close()


def test_after_a_wipe_the_sweep_tells_gateways_again_who_is_disabled(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """Valkey forgets who may not connect; the record does not (fault row 10)."""
    opened = open_services(environ)
    with engine.begin() as connection:
        add_people(connection, [1])
        add_people(connection, [2], status="DISABLED")
        add_people(connection, [3], is_deleted=True)
    assert not opened.bus.knows_disabled()
    sweep.sweep(opened)
    assert opened.bus.knows_disabled()
    reader = AsyncBus(load(BusSettings, environ), load(ValkeySettings, environ))

    async def ask() -> frozenset[int]:
        try:
            return await reader.disabled_among([1, 2, 3])
        finally:
            await reader.close()

    assert asyncio.run(ask()) == {2, 3}
    opened.doorbell.close()
    opened.bus.close()
    opened.database.close()
