"""Replacing pool processes that died, at once. Installed by `celery_app.py` and `callbacks_app.py`.

Celery looks for them when the dead process's pipe closes. That may be a moment before the process can be reaped, and
the next look comes five seconds later; until then a worker of one process does nothing.
"""

from typing import Any

from celery import Celery, bootsteps

LOOK_SECONDS = 0.25


class PoolMaintenance(bootsteps.StartStopStep):
    """Has the pool look for dead processes for as long as the worker's event loop runs."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._timer: Any = None

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Start looking; Celery calls this at every start of its loop, also after a reconnect."""
        if self._timer is not None:
            self._timer.cancel()
        # Celery's wrapper has no name for it; billiard's Pool.maintain_pool is public.
        self._timer = hub.call_repeatedly(LOOK_SECONDS, worker.pool._pool.maintain_pool)  # noqa: SLF001


def install(celery: Celery) -> None:
    """Have every worker of `celery` replace its dead pool processes."""
    celery.steps["worker"].add(PoolMaintenance)
