"""The pool: a process that died is replaced."""

import psutil
from celery import Celery

from ops.child import Child, family
from ops.deadline import wait_until

ROUNDS = 5


def pool(worker: Child) -> list[psutil.Process]:
    """The worker's processes but the main one."""
    pid = worker.pid
    assert pid is not None
    return [process for process in family(pid) if process.pid != pid]


def test_a_killed_pool_process_is_replaced_at_once(worker: Child, celery: Celery) -> None:
    """Within a second or so, every time; Celery's own look comes after five."""
    assert wait_until(lambda: bool(celery.control.ping(timeout=0.5)), seconds=30)
    for _ in range(ROUNDS):
        [killed] = pool(worker)
        killed.kill()
        assert wait_until(
            lambda gone=killed.pid: any(one.pid != gone for one in pool(worker)),  # type: ignore[misc]
            seconds=3,
        )
        assert wait_until(lambda: len(pool(worker)) == 1, seconds=3)
