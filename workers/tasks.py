"""Every task of the workers but that of callbacks, whose worker has a process of its own. Registered by `celery_app.py`.

A task is the arrival of a ring: it takes no arguments, returns nothing, and may come twice, late or never.
"""

from collections.abc import Callable
from functools import partial

from celery import Celery

from storage.broker.queues import EXPAND, PERSIST, SWEEP
from workers import persist, sweep, upkeep
from workers.broadcasts import lane
from workers.schedule import RECOUNT, SCHEDULE, TIDY
from workers.services import Services, get_services
from workers.supervision.liveness import Liveness
from workers.supervision.task_runs import make_task

_TASKS: dict[str, Callable[[Services], object]] = {
    PERSIST: persist.drain,
    EXPAND: lane.run_lane,
    SWEEP: sweep.sweep_on_time,
    TIDY: upkeep.tidy_on_time,
    RECOUNT: upkeep.start_recount,
}


def register(celery: Celery, liveness: Liveness) -> None:
    """Give `celery` the tasks and beat its schedule; `liveness` is told of each task whether it succeeded."""
    for name, work in _TASKS.items():
        celery.task(name=name)(make_task(name, partial(_run, name, work), liveness))

    # For `celery -A workers.celery_app beat`, as deployments of an earlier version start it.
    celery.conf.beat_schedule = SCHEDULE


def _run(name: str, work: Callable[[Services], object]) -> None:
    services = get_services()
    with services.metrics.task_seconds.labels(name.removeprefix("carillon.")).time():
        work(services)
