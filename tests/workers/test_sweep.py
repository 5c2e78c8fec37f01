"""The sweep: it rings for what is due and that nobody rang for, and finishes what was left open."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.broker.queues import SENDS
from storage.model.broadcast import BroadcastStatus
from storage.model.pause import PauseKind
from storage.postgres import pauses
from storage.postgres.broadcasts import cancellation, planning
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import conversations, persistence
from storage.postgres.sends import due_work, held_sends
from storage.settings import ValkeySettings, load
from storage.valkey.bus import AsyncBus
from storage.valkey.bus_streams import BusSettings
from tests.builders import (
    A_COMMAND,
    a_broadcast,
    a_notification,
    a_send,
    accept,
    add_app,
    add_people,
)
from tests.workers.broadcasts.lanes import (
    add_pending,
    find_status,
    work_off,
)
from workers import persist, sweep
from workers.services import Services, open_services


def test_the_sweep_finishes_a_cancel_whose_process_died(services: Services, engine: Engine) -> None:
    """A broadcast that was cancelled and not discarded does not stand in the way of the app's next broadcast."""
    [id] = add_pending(engine, {}, people=30)
    small = replace(services, settings=replace(services.settings, chunk_size=10))
    with engine.begin() as connection:
        planning.plan_next(connection, PlanLimits(10))
        cancellation.cancel(connection, id)
        [second] = accept(connection, a_broadcast())
        persistence.persist(connection, [second])
    assert sweep.sweep(small) == ["broadcasts"]
    work_off(small)
    assert find_status(engine, second) is BroadcastStatus.DONE
    assert find_status(engine, id) is BroadcastStatus.CANCELLED


def test_the_sweep_has_the_bus_trimmed_and_tells_its_length(services: Services) -> None:
    """Nobody need publish for that: the gauge has what the tending left."""
    bus: Any = services.bus
    bus.events = [object()] * 3
    sweep.sweep(services)
    assert services.metrics.registry.get_sample_value("carillon_bus_entries") == 3


def test_the_sweep_rings_for_what_nobody_rang(services: Services, engine: Engine) -> None:
    """The sweep rings for sends past the grace, for schedules that are due and for open broadcasts, and else for nothing."""
    eager = replace(services, settings=replace(services.settings, sweep_grace=timedelta(0)))
    assert sweep.sweep(eager) == []
    with engine.begin() as connection:
        accept(connection, a_send())
    assert sweep.sweep(services) == []
    assert sweep.sweep(eager) == ["sends"]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM accepted"))
    add_pending(engine, {}, people=3)
    assert sweep.sweep(eager) == ["broadcasts"]
    with engine.begin() as connection:
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(days=1)))
    assert sweep.sweep(eager) == ["broadcasts"]
    with engine.begin() as connection:
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(milliseconds=50)))
    assert wait_until(lambda: "sends" in sweep.sweep(services), seconds=10)
    value = services.metrics.registry.get_sample_value
    assert value("carillon_sweep_rings_total", {"queue": "sends"}) == 2


def test_the_sweep_ends_a_pause_and_rings_at_once(services: Services, engine: Engine) -> None:
    """When the time of a pause is over, the sweep removes it, and rings for what waited, without any grace."""
    end = datetime.now(UTC) + timedelta(hours=1)
    with engine.begin() as connection:
        accept(connection, a_send())
        pauses.pause(connection, PauseKind.QUEUE, "sends", reason="", until=end, actor=A_COMMAND)
    assert sweep.sweep(services) == []
    with engine.begin() as connection:
        connection.execute(text("UPDATE pauses SET until = clock_timestamp()"))
    assert sweep.sweep(services) == ["sends", "broadcasts"]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM pauses")).scalar_one() == 0


def test_the_sweep_puts_aside_and_takes_back_what_a_paused_app_sent(
    services: Services, engine: Engine
) -> None:
    """Several slices go aside in one sweep, and after the resume all come back in order, with a ring."""
    small = replace(services, settings=replace(services.settings, persist_batch=100))
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        add_app(connection, 7)
        pauses.pause(connection, PauseKind.APP, "app_7", reason="", until=None, actor=A_COMMAND)
        sent = accept(connection, *[a_notification() for _ in range(5_000)])
        connection.execute(text("UPDATE held_apps SET held_at = held_at - interval '10s'"))
    assert persist.drain(small) == 0
    assert sweep.sweep(small) == []
    with engine.begin() as connection:
        assert held_sends.count_held(connection) == {"app_7": 5_000}
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar_one() == 0
        pauses.resume(connection, PauseKind.APP, "app_7", actor=A_COMMAND)
        after = accept(connection, a_notification())
    assert "sends" in sweep.sweep(small)
    assert wait_until(lambda: persist.drain(small) == 0, seconds=60)
    bus: Any = services.bus
    assert bus.ids() == [*sent, *after]


def test_a_queue_that_holds_a_ring_is_not_rung_again(services: Services, engine: Engine) -> None:
    """A queue that still holds a ring gets no second one, however long the sends wait."""
    eager = replace(services, settings=replace(services.settings, sweep_grace=timedelta(0)))
    doorbell: Any = services.doorbell
    doorbell.queue_lengths = lambda: {"sends": 1, "broadcasts": 1, "upkeep": 1}
    with engine.begin() as connection:
        accept(connection, a_send())
    assert sweep.sweep(eager) == []


def test_after_a_wipe_the_sweep_tells_gateways_again_who_is_disabled(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """After a wipe of Valkey the next sweep puts the marks of disabled people back on the bus (fault row 10)."""
    opened = open_services(environ)
    with engine.begin() as connection:
        add_people(connection, [1])
        add_people(connection, [2], status="DISABLED")
        add_people(connection, [3], is_deleted=True)
    assert not opened.bus.has_disabled_marks()
    sweep.sweep(opened)
    assert opened.bus.has_disabled_marks()
    reader = AsyncBus(load(BusSettings, environ), load(ValkeySettings, environ))

    async def ask() -> frozenset[int]:
        try:
            return await reader.find_disabled([1, 2, 3])
        finally:
            await reader.close()

    assert asyncio.run(ask()) == {2, 3}
    opened.doorbell.close()
    opened.bus.close()
    opened.database.close()


def test_the_sweep_rings_for_a_read_whose_ring_was_lost(services: Services, engine: Engine) -> None:
    """A read whose ring was lost, because ingest died, is overdue after the grace, and the sweep rings for it."""
    with engine.begin() as connection:
        persistence.persist(connection, accept(connection, a_send()))
        conversations.mark_all_read(connection, 2)
        assert not due_work.has_overdue_work(connection, grace=timedelta(minutes=1))
        connection.execute(text("UPDATE outbox SET try_at = try_at - interval '2 minutes'"))
        assert due_work.has_overdue_work(connection, grace=timedelta(minutes=1))
    assert SENDS in sweep.sweep(services)
