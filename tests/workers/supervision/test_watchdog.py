"""The watchdog: a worker that does nothing while work is due ends itself."""

import resource
from collections.abc import Mapping

import psutil
from celery import Celery
from sqlalchemy import Engine, text

from ops.local.child import Child
from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings
from storage.settings import load
from tests.builders import a_send, accept
from workers.supervision.watchdog import StallDetector


def test_due_work_that_nobody_does_is_a_stall_after_the_limit() -> None:
    """A worker is stalled when the limit has passed since the first look that found work due."""
    detector = StallDetector(limit_seconds=60)
    assert not detector.is_stalled(now=1000, last_success_at=0, is_due=True)
    assert not detector.is_stalled(now=1059, last_success_at=0, is_due=True)
    assert detector.is_stalled(now=1060, last_success_at=0, is_due=True)


def test_a_worker_that_does_something_does_not_stall() -> None:
    """A worker whose tasks succeed is never stalled, however long work has been due."""
    detector = StallDetector(limit_seconds=60)
    for now in range(1000, 2000, 10):
        assert not detector.is_stalled(now=now, last_success_at=now - 30, is_due=True)


def test_idleness_is_no_stall() -> None:
    """After a look that finds nothing due the time starts anew."""
    detector = StallDetector(limit_seconds=60)
    assert not detector.is_stalled(now=1000, last_success_at=0, is_due=True)
    assert not detector.is_stalled(now=1059, last_success_at=0, is_due=False)
    assert not detector.is_stalled(now=1100, last_success_at=0, is_due=True)
    assert detector.is_stalled(now=1160, last_success_at=0, is_due=True)


def test_a_worker_whose_consumer_hangs_ends_itself(
    worker: Child, celery: Celery, engine: Engine
) -> None:
    """A worker that is up and no longer takes from its queue, while work is due, ends itself in time and says why."""
    assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
    assert celery.control.cancel_consumer(SENDS, reply=True, timeout=2)
    with engine.begin() as connection:
        accept(connection, a_send())
    assert wait_until(lambda: not worker.is_running(), seconds=20)
    assert "No work done for 0:00:02 while work is due" in worker.log.read_text()


def test_a_pool_process_without_descriptors_is_replaced(
    worker: Child, celery: Celery, engine: Engine, environ: Mapping[str, str]
) -> None:
    """A pool process that takes every ring and fails at each (EMFILE) ends, and another one does the work."""
    assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
    assert worker.pid is not None
    [child] = psutil.Process(worker.pid).children()
    with engine.begin() as connection:
        accept(connection, a_send())
        assert child.pid
        child.rlimit(resource.RLIMIT_NOFILE, (3, 3))
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'carillon worker' AND datname = current_database()"
            )
        )
    doorbell = Doorbell(load(QueueSettings, environ))

    def is_delivered() -> bool:
        # The main process may be the first to see it; then what supervises it would start it again.
        if not worker.is_running():
            worker.launch()
        doorbell.ring(SENDS)
        with engine.begin() as connection:
            found = connection.execute(text("SELECT EXISTS (SELECT 1 FROM messages)"))
            return bool(found.scalar_one())

    assert wait_until(is_delivered, seconds=30)
    assert not child.is_running()
    doorbell.close()
