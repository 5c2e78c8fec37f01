"""Every task: a ring's arrival. They take no arguments and return nothing."""

import logging
from collections.abc import Callable

from celery import Celery
from celery.schedules import crontab

from storage.model.errors import TryLater
from storage.task_queue import EXPAND, PERSIST, SWEEP, UPKEEP
from workers import expand, persist, sweep, upkeep
from workers.process import Process, this_process

TIDY = "carillon.upkeep.tidy"
RECOUNT = "carillon.upkeep.recount"

_TASKS: dict[str, Callable[[Process], object]] = {
    PERSIST: persist.drain,
    EXPAND: expand.work,
    SWEEP: sweep.sweep_on_time,
    TIDY: upkeep.tidy_on_time,
    RECOUNT: upkeep.start_recount,
}

_log = logging.getLogger(__name__)


def register(celery: Celery) -> None:
    """Give `celery` the tasks, and beat its times."""
    for name, work in _TASKS.items():
        celery.task(name=name)(_arrival(name, work))

    celery.conf.beat_schedule = {
        # A sweep that nobody took within its second is worth nothing: the next one is there.
        "sweep": {"task": SWEEP, "schedule": 1.0, "options": {"queue": UPKEEP, "expires": 5}},
        # In turns of two seconds; the second process of its worker sweeps meanwhile.
        "tidy": {"task": TIDY, "schedule": 10.0, "options": {"queue": UPKEEP, "expires": 10}},
        "nightly": {
            "task": RECOUNT,
            "schedule": crontab(hour="3", minute="10"),
            "options": {"queue": UPKEEP},
        },
    }


def _arrival(name: str, work: Callable[[Process], object]) -> Callable[[], None]:
    def arrive() -> None:
        try:
            process = this_process()
            with process.telemetry.task_seconds.labels(name.removeprefix("carillon.")).time():
                work(process)
        except TryLater as error:
            # PostgreSQL is away or restarting. Nothing is lost: the sweep rings until it is done.
            _log.warning("%s: %s", name, error.detail)

    return arrive
