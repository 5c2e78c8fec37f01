"""Every task of the workers. Registered by `celery_app.py`.

A task is the arrival of a ring: it takes no arguments, returns nothing, and may come twice, late or never.
"""

import logging
import os
from collections.abc import Callable

from celery import Celery

from storage.broker.queues import EXPAND, PERSIST, SWEEP
from storage.model.errors import TransientError
from workers import persist, sweep, upkeep
from workers.broadcasts import lane
from workers.liveness import Liveness
from workers.schedule import RECOUNT, SCHEDULE, TIDY
from workers.services import Services, get_services

_TASKS: dict[str, Callable[[Services], object]] = {
    PERSIST: persist.drain,
    EXPAND: lane.run_lane,
    SWEEP: sweep.sweep_on_time,
    TIDY: upkeep.tidy_on_time,
    RECOUNT: upkeep.start_recount,
}


_log = logging.getLogger(__name__)


def register(celery: Celery, liveness: Liveness) -> None:
    """Give `celery` the tasks and beat its schedule; `liveness` is told of each task whether it succeeded."""
    for name, work in _TASKS.items():
        celery.task(name=name)(_make_task(name, work, liveness))

    # For `celery -A workers.celery_app beat`, as deployments of an earlier version start it.
    celery.conf.beat_schedule = SCHEDULE


def _make_task(
    name: str, work: Callable[[Services], object], liveness: Liveness
) -> Callable[[], None]:
    def run_task() -> None:
        try:
            services = get_services()
            with services.metrics.task_seconds.labels(name.removeprefix("carillon.")).time():
                work(services)
        except TransientError as error:
            # PostgreSQL is away or restarting. Nothing is lost: the sweep rings until it is done.
            _log.warning("%s: %s", name, error.detail)
            _record_failure(liveness)
        except Exception:
            _record_failure(liveness)
            raise
        else:
            liveness.record_success()

    return run_task


def _record_failure(liveness: Liveness) -> None:
    """Note a failed task; end a process that fails at everything: its worker replaces it."""
    if liveness.record_failure():
        _log.error("This process fails at everything: ending.")
        os._exit(os.EX_TEMPFAIL)
