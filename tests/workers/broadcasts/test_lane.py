"""A broadcast lane: it shares the work with other lanes, and gives its queue back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastStatus
from tests.counters import find_drift
from tests.workers.broadcasts.lanes import (
    add_pending,
    find_status,
)
from workers import sweep
from workers.broadcasts.lane import run_lane
from workers.services import Services


def test_lanes_together_deliver_exactly_once(small_chunks: Services, engine: Engine) -> None:
    """Several lanes at once share a broadcast's chunks: everyone has one delivery, and no counter drifts."""
    [id] = add_pending(engine, {}, people=200)

    def until_nothing_is_left(_: int) -> None:
        while run_lane(small_chunks):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(until_nothing_is_left, range(4)))
    sweep.sweep(small_chunks)  # closes it if two lanes were done at once
    assert find_status(engine, id) is BroadcastStatus.DONE
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 200
        assert find_drift(connection) == []


def test_a_lane_yields_after_its_time(small_chunks: Services, engine: Engine) -> None:
    """A lane with chunks left when its time is up rings its queue and ends; the next ring goes on."""
    [id] = add_pending(engine, {}, people=50)
    clock = iter(range(1000))
    run_lane(small_chunks, now=lambda: next(clock) / 3)
    assert find_status(engine, id) is BroadcastStatus.EXPANDING
    doorbell: Any = small_chunks.doorbell
    assert doorbell.rung[-1] == "broadcasts"
    run_lane(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.DONE
