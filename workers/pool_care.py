"""A pool process that died is replaced at once.

Celery looks when the dead process's pipe closes, which may be a moment before it can be reaped, and
then not again for five seconds, in which a worker of one process does nothing.
"""

from typing import Any

from celery import Celery, bootsteps

LOOK_SECONDS = 0.25


class PoolCare(bootsteps.StartStopStep):
    """Looks after the pool for as long as the worker's event loop runs."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._timer: Any = None

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Called at every start of the loop, also after a reconnect."""
        if self._timer is not None:
            self._timer.cancel()
        # Celery's wrapper has no name for it; billiard's Pool.maintain_pool is public.
        self._timer = hub.call_repeatedly(LOOK_SECONDS, worker.pool._pool.maintain_pool)  # noqa: SLF001


def install(celery: Celery) -> None:
    """Let every worker of `celery` have it."""
    celery.steps["worker"].add(PoolCare)
