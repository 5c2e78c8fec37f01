"""Taking a broadcast back: everyone is told once, also after trouble with the bus or with one chunk."""

from typing import Any

from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastStatus
from storage.model.event import MessageRecalled
from storage.postgres.broadcasts import failures, recalls
from tests.workers.broadcasts.lanes import (
    add_pending,
    break_for,
    find_report,
    find_status,
    of_app,
    work_off,
)
from workers.broadcasts.lane import run_lane
from workers.services import Services


def test_a_broadcast_is_taken_back_and_everyone_is_told(
    small_chunks: Services, engine: Engine
) -> None:
    """Lanes take a broadcast out of the histories chunk by chunk; with the bus away, people are told when it is back."""
    [id] = add_pending(engine, {}, people=35)
    work_off(small_chunks)
    with engine.begin() as connection:
        recalls.start_recall(connection, id)
    bus: Any = small_chunks.bus
    bus.events.clear()
    bus.is_away = True
    run_lane(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.RECALLING
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM deliveries")).scalar() == 0
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now()"))
    bus.is_away = False
    run_lane(small_chunks)
    assert find_status(engine, id) is BroadcastStatus.RECALLED
    told = [
        user
        for event in bus.events
        if isinstance(event, MessageRecalled)
        for _, users in event.recipients
        for user in users
    ]
    assert sorted(told) == list(range(1, 36))
    assert len({event.key for event in bus.events}) == 4


def test_a_chunk_that_cannot_be_taken_back_holds_up_no_other_recall(
    small_chunks: Services, engine: Engine
) -> None:
    """A broadcast with a chunk that cannot be taken back stays RECALLING and says so; others are RECALLED meanwhile."""
    ids = add_pending(engine, {}, of_app(8))
    work_off(small_chunks)
    break_for(engine, "deliveries", when="OLD.user_id = 15 AND OLD.peer_id = -7")
    with engine.begin() as connection:
        for id in ids:
            recalls.start_recall(connection, id)
    for _ in range(3):
        work_off(small_chunks)
    first, second = find_report(engine, ids[0]), find_report(engine, ids[1])
    assert (first.status, first.failed_chunks) == (BroadcastStatus.RECALLING, 1)
    assert second.status is BroadcastStatus.RECALLED
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION refuse CASCADE"))
        assert failures.retry_failing(connection, ids[0]) == 1
    work_off(small_chunks)
    assert find_status(engine, ids[0]) is BroadcastStatus.RECALLED
