"""The watchdog: a worker that takes nothing while work is due ends itself."""

from celery import Celery
from sqlalchemy import Engine

from ops.child import Child
from ops.deadline import wait_until
from storage.task_queue import SENDS
from tests.builders import a_send, accept
from workers.watchdog import Stall


def test_due_work_that_nobody_takes_is_a_stall_after_the_limit() -> None:
    """Counted from the first look that found work due."""
    stall = Stall(limit_seconds=60)
    assert not stall.looks_stalled(now=1000, taken_at=0, is_due=True)
    assert not stall.looks_stalled(now=1059, taken_at=0, is_due=True)
    assert stall.looks_stalled(now=1060, taken_at=0, is_due=True)


def test_a_worker_that_takes_something_does_not_stall() -> None:
    """However long work has been due."""
    stall = Stall(limit_seconds=60)
    for now in range(1000, 2000, 10):
        assert not stall.looks_stalled(now=now, taken_at=now - 30, is_due=True)


def test_idleness_is_no_stall() -> None:
    """Nothing due at one look, and the time starts anew."""
    stall = Stall(limit_seconds=60)
    assert not stall.looks_stalled(now=1000, taken_at=0, is_due=True)
    assert not stall.looks_stalled(now=1059, taken_at=0, is_due=False)
    assert not stall.looks_stalled(now=1100, taken_at=0, is_due=True)
    assert stall.looks_stalled(now=1160, taken_at=0, is_due=True)


def test_a_worker_whose_consumer_hangs_ends_itself(
    worker: Child, celery: Celery, engine: Engine
) -> None:
    """It is up, work is due, it no longer takes from its queue: it ends, in time, and says why."""
    assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
    assert celery.control.cancel_consumer(SENDS, reply=True, timeout=2)
    with engine.begin() as connection:
        accept(connection, a_send())
    assert wait_until(lambda: not worker.is_running(), seconds=20)
    assert "No work taken for 0:00:02 while work is due" in worker.log.read_text()
