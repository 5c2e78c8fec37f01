"""Every task: a ring's arrival. They take no arguments and return nothing."""

import logging
import os
from collections.abc import Callable

from celery import Celery
from celery.schedules import crontab

from storage.broker import EXPAND, PERSIST, SWEEP, UPKEEP
from storage.model.errors import TransientError
from workers import persist, sweep, upkeep
from workers.broadcasts import lane
from workers.liveness import Liveness
from workers.services import Services, get_services

TIDY = "carillon.upkeep.tidy"
RECOUNT = "carillon.upkeep.recount"

_TASKS: dict[str, Callable[[Services], object]] = {
    PERSIST: persist.drain,
    EXPAND: lane.run_lane,
    SWEEP: sweep.sweep_on_time,
    TIDY: upkeep.tidy_on_time,
    RECOUNT: upkeep.start_recount,
}

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again

_log = logging.getLogger(__name__)


def register(celery: Celery, liveness: Liveness) -> None:
    """Give `celery` the tasks, and beat its times; `done` is told what became of each."""
    for name, work in _TASKS.items():
        celery.task(name=name)(_arrival(name, work, liveness))

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


def _arrival(
    name: str, work: Callable[[Services], object], liveness: Liveness
) -> Callable[[], None]:
    def arrive() -> None:
        try:
            services = get_services()
            with services.telemetry.task_seconds.labels(name.removeprefix("carillon.")).time():
                work(services)
        except TransientError as error:
            # PostgreSQL is away or restarting. Nothing is lost: the sweep rings until it is done.
            _log.warning("%s: %s", name, error.detail)
            _fail(liveness)
        except Exception:
            _fail(liveness)
            raise
        else:
            liveness.record_success()

    return arrive


def _fail(liveness: Liveness) -> None:
    """Note it; a process that fails at everything ends, and its worker makes another."""
    if liveness.record_failure():
        _log.error("This process fails at everything: ending.")
        os._exit(EXIT_CODE)
