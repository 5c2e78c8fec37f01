"""Pool processes that died are replaced at once, also when their metrics are gone."""

import shutil
from pathlib import Path

import psutil
from celery import Celery
from sqlalchemy import Engine, text

from ops.local.child import Child, list_family
from ops.local.polling import wait_until
from storage.broker.queues import PERSIST, SENDS
from storage.process.metrics_export import FOLDER
from tests.builders import a_send, accept

ROUNDS = 5


def pool(worker: Child) -> list[psutil.Process]:
    """The worker's processes but the main one."""
    pid = worker.pid
    assert pid is not None
    return [process for process in list_family(pid) if process.pid != pid]


def test_a_killed_pool_process_is_replaced_at_once(worker: Child, celery: Celery) -> None:
    """A killed pool process is replaced within three seconds, every time; Celery's own look comes after five."""
    assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
    for _ in range(ROUNDS):
        [killed] = pool(worker)
        killed.kill()
        assert wait_until(
            lambda gone=killed.pid: any(one.pid != gone for one in pool(worker)),  # type: ignore[misc]
            seconds=3,
        )
        assert wait_until(lambda: len(pool(worker)) == 1, seconds=3)


def test_a_worker_whose_metrics_are_deleted_works_on(
    worker: Child, celery: Celery, engine: Engine
) -> None:
    """With its metrics folder deleted, a worker that is restarted, or whose pool is, still delivers what is sent."""
    folder = Path(worker.program.environ[FOLDER])
    for is_whole in (True, False):
        shutil.rmtree(folder, ignore_errors=True)
        if is_whole:
            worker.kill()
            worker.launch()
        else:
            pool(worker)[0].kill()
        assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
        with engine.begin() as connection:
            accept(connection, a_send())
        celery.send_task(PERSIST, queue=SENDS)
        assert wait_until(lambda: has_delivered(engine), seconds=20)


def has_delivered(engine: Engine) -> bool:
    """Whether nothing waits any more."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM accepted")).scalar() == 0
