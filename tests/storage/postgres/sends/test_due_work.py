"""What is due: scheduled sends when their time has come, and at little cost."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.postgres.sends import backlog, due_work, persist_lane
from tests.builders import a_send, accept


def test_a_scheduled_send_waits_for_its_time_and_is_ordered_by_it(engine: Engine) -> None:
    """A scheduled send is not claimed before its `send_at`; after that it is, in the order of the times."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    with engine.begin() as connection:
        [far] = accept(connection, a_send(send_at=soon + timedelta(days=40)))
        [next] = accept(connection, a_send(send_at=soon))
        [now] = accept(connection, a_send())
    with engine.begin() as connection:
        assert now < next < far
        assert persist_lane.claim(connection, 10).ids == [now]
        assert not due_work.has_due_scheduled_send(connection)
    assert wait_until(lambda: is_scheduled_due(engine), seconds=10)
    with engine.begin() as connection:
        [last] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [now, next, last]


def is_scheduled_due(engine: Engine) -> bool:
    """Whether a scheduled send is due."""
    with engine.begin() as connection:
        return due_work.has_due_scheduled_send(connection)


def test_what_becomes_due_is_late_and_is_no_reason_to_refuse_others(engine: Engine) -> None:
    """Many sends due at one instant count for how old the oldest is, and not for the cap of what waits."""
    due = datetime.now(UTC) + timedelta(seconds=1)
    with engine.begin() as connection:
        accept(connection, *[a_send(send_at=due)] * 500)
        accept(connection, a_send(send_at=due + timedelta(days=1)))
        assert backlog.measure_backlog(connection).scheduled_due == 0
    assert wait_until(lambda: is_scheduled_due(engine), seconds=10)
    with engine.begin() as connection:
        seen = backlog.measure_backlog(connection)
        assert (seen.waiting, seen.scheduled_due) == (0, 500)
        assert seen.oldest_seconds > 0
        assert due_work.has_overdue_work(connection, grace=timedelta(0))
        assert not due_work.has_overdue_work(connection, grace=timedelta(minutes=1))


def test_a_million_scheduled_for_later_cost_the_lane_nothing(engine: Engine) -> None:
    """The search for what is due ends where later times begin, and reads no row of a send that is not due."""
    later = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        for _ in range(4):
            accept(connection, *[a_send(send_at=later)] * 500)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE accepted"))
    read = text(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'accepted'"
    )
    with engine.begin() as connection:
        # The session's earlier reads may not have been added to the others yet.
        before = connection.execute(read).scalar_one()
        assert persist_lane.claim(connection, 500).ids == []
        assert not due_work.has_claimable_work(connection, outbox=True)
        assert connection.execute(read).scalar_one() - before < 10


def test_whether_something_is_due_is_asked_without_reading_what_is_gone(engine: Engine) -> None:
    """Asking whether something is due reads along the primary key, and never the dead rows that a backlog left."""
    with engine.begin() as connection:
        accept(connection, *[a_send()] * 2_000)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE accepted"))
    with engine.begin() as connection:
        assert due_work.has_claimable_work(connection, outbox=True)
        assert due_work.has_due_work(connection)
        assert due_work.has_overdue_work(connection, grace=timedelta(0))
        scans = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'accepted'")
        assert connection.execute(scans).scalar_one() == 0
