"""The sweep and upkeep when beat is late: any worker does them then, whatever ails beat, its queue or the upkeep worker.

A thread of every pool process, installed by `celery_app.py`. It looks at the record, not at the broker, and does the
work itself, so that it needs nothing of what it stands in for.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from celery.signals import worker_process_init

from storage.model.errors import CarillonError
from storage.postgres import periodic_jobs
from workers import sweep, upkeep
from workers.services import Services, get_services

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Upkeep may wait, and must not keep this thread from the sweep.
UPKEEP_LATE = timedelta(minutes=10)
TIDY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Duty:
    """What a worker does, every `every`, once beat has not had it done for `late`. `name`: its row in `periodic_jobs`."""

    name: str
    late: timedelta
    every: timedelta
    work: Callable[[Services], object]


def list_duties(services: Services) -> tuple[Duty, ...]:
    """The sweep and upkeep, with how late each may be."""
    second = timedelta(seconds=1)
    tidy = partial(upkeep.tidy, seconds=TIDY_SECONDS)
    return (
        Duty(periodic_jobs.SWEEP, services.settings.sweep_late, second, sweep.sweep),
        Duty(periodic_jobs.UPKEEP, UPKEEP_LATE, 10 * second, tidy),
    )


def do_late_duties(services: Services) -> list[str]:
    """Do each duty that is late and that no other worker has taken; returns their names.

    Raises CarillonError if PostgreSQL cannot say what is late, or a duty fails.
    """
    done = []
    for duty in list_duties(services):
        if services.database.transaction(
            periodic_jobs.take_over, duty.name, late=duty.late, every=duty.every
        ):
            services.metrics.late_duties.labels(duty.name).inc()
            duty.work(services)
            done.append(duty.name)
    return done


def watch(services: Services, *, over: threading.Event) -> None:
    """Do what is late, with a look every second, until `over` is set. What fails is tried again with the next look."""
    is_failing = False
    while not over.wait(LOOK_SECONDS):
        try:
            do_late_duties(services)
            is_failing = False
        except CarillonError as error:
            # Once, not for every second of an hour without PostgreSQL.
            level = logging.DEBUG if is_failing else logging.WARNING
            _log.log(level, "Whether something is late cannot be seen: %s", error.detail)
            is_failing = True


def install() -> None:
    """Have every pool process of this worker watch, from its start."""

    def start(**_: object) -> None:
        over = threading.Event()
        services = get_services()  # here and not in the thread: they are made once
        options = {"services": services, "over": over}
        threading.Thread(target=watch, kwargs=options, name="beat fallback", daemon=True).start()

    worker_process_init.connect(start, weak=False)
