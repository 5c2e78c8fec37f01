"""Every task: a ring's arrival. They take no arguments and return nothing."""

import logging
import os
from collections.abc import Callable

from celery import Celery
from celery.schedules import crontab

from storage.broker import EXPAND, PERSIST, SWEEP, UPKEEP
from storage.model.errors import TransientError
from workers import expand, persist, sweep, upkeep
from workers.done import Done
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

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again

_log = logging.getLogger(__name__)


def register(celery: Celery, done: Done) -> None:
    """Give `celery` the tasks, and beat its times; `done` is told what became of each."""
    for name, work in _TASKS.items():
        celery.task(name=name)(_arrival(name, work, done))

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


def _arrival(name: str, work: Callable[[Process], object], done: Done) -> Callable[[], None]:
    def arrive() -> None:
        try:
            process = this_process()
            with process.telemetry.task_seconds.labels(name.removeprefix("carillon.")).time():
                work(process)
        except TransientError as error:
            # PostgreSQL is away or restarting. Nothing is lost: the sweep rings until it is done.
            _log.warning("%s: %s", name, error.detail)
            _fail(done)
        except Exception:
            _fail(done)
            raise
        else:
            done.note()

    return arrive


def _fail(done: Done) -> None:
    """Note it; a process that fails at everything ends, and its worker makes another."""
    if done.note_failure():
        _log.error("This process fails at everything: ending.")
        os._exit(EXIT_CODE)
