"""Cancelling broadcasts: what is not expanded when it returns never will be."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.model.broadcast import (
    BroadcastStatus,
)
from storage.model.message import MessageStatus
from storage.postgres.broadcasts import (
    cancellation,
    expansion,
    lane_work,
    reports,
)
from storage.postgres.messages import lookup, persistence
from tests.builders import a_broadcast, accept, add_people
from tests.counters import find_drift
from tests.storage.postgres.broadcasts.steps import LEASE, plan_all, report


def cancel(engine: Engine, id: int) -> None:
    """Cancel a broadcast in two transactions, as ingest does."""
    for step in (cancellation.cancel, cancellation.discard_waiting):
        with engine.begin() as connection:
            step(connection, id)


def test_what_is_not_expanded_when_it_is_cancelled_never_is(engine: Engine) -> None:
    """A cancelled broadcast is expanded no further, its report says how many have it, and cancelling again changes nothing."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = plan_all(engine)
    with engine.begin() as connection:
        chunks = [expansion.expand_next(connection, lease=LEASE) for _ in range(4)]
        assert chunks[-1] is not None
        expansion.mark_published(connection, chunks[-1])
    for _ in range(2):
        cancel(engine, id)
        with engine.begin() as connection:
            assert expansion.expand_next(connection, lease=LEASE) is None
            stopped = report(connection, id)
            assert (stopped.status, stopped.total) == (BroadcastStatus.CANCELLED, 100)
            count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
            assert count == stopped.expanded == 40
            assert find_drift(connection) == []
    with engine.begin() as connection:
        # What was delivered and not yet told of still is.
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))
        assert lane_work.has_due_work(connection)
        assert expansion.claim_unpublished(connection, lease=LEASE) is not None


def test_a_cancel_waits_for_the_chunk_that_is_being_expanded(engine: Engine) -> None:
    """A cancel waits for a lane in the middle of a chunk; when it returns, the report is final."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = plan_all(engine)
    with ThreadPoolExecutor(1) as pool, engine.connect() as lane:
        assert expansion.expand_next(lane, lease=LEASE) is not None
        waiting = pool.submit(cancel, engine, id)

        def is_blocked() -> bool:
            with engine.begin() as connection:
                count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                return bool(connection.execute(text(count)).scalar())

        assert wait_until(is_blocked, seconds=10)
        assert not waiting.done()
        lane.commit()
        waiting.result(timeout=10)
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is None
        assert report(connection, id).expanded == 10


def test_cancelled_under_lanes_that_race(engine: Engine) -> None:
    """Nothing is expanded after a cancel returned, also when lanes work at full speed."""
    with engine.begin() as connection:
        add_people(connection, range(1, 401))
    id = plan_all(engine, chunk_size=5)

    def lane(_: int) -> None:
        done = True
        while done:
            with engine.begin() as connection:
                chunk = expansion.expand_next(connection, lease=LEASE)
            with engine.begin() as connection:
                done = chunk is not None
                if chunk:
                    expansion.mark_published(connection, chunk)

    with ThreadPoolExecutor(4) as pool:
        lanes = [pool.submit(lane, number) for number in range(4)]
        assert wait_until(lambda: count_expanded(engine, id) > 50, seconds=20)
        cancel(engine, id)
        at_return = count_expanded(engine, id)
        for one in lanes:
            one.result(timeout=20)
    with engine.begin() as connection:
        count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == at_return == report(connection, id).expanded
        assert find_drift(connection) == []


def count_expanded(engine: Engine, id: int) -> int:
    """How many people have the broadcast."""
    with engine.begin() as connection:
        return report(connection, id).expanded


def test_a_scheduled_broadcast_is_listed_and_cancelled(engine: Engine) -> None:
    """A scheduled broadcast is SCHEDULED in its report and the list until it is due; cancelled, it is never delivered."""
    later = datetime.now(UTC) + timedelta(days=2)
    with engine.begin() as connection:
        add_people(connection, [1])
        [soon, due] = accept(connection, a_broadcast(), a_broadcast(send_at=later))
        listed = reports.list_reports(connection, 7, limit=10)
        assert [(r.id, r.status) for r in listed] == [
            (due, BroadcastStatus.SCHEDULED),
            (soon, BroadcastStatus.PENDING),
        ]
    for id in (soon, due):
        cancel(engine, id)
    with engine.begin() as connection:
        assert persistence.persist(connection, [soon, due]) == []
        listed = reports.list_reports(connection, 7, limit=10)
        assert {r.status for r in listed} == {BroadcastStatus.CANCELLED}
        found = lookup.find_message(connection, due)
        assert found is not None and found.status is MessageStatus.CANCELLED
