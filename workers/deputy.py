"""Does what beat should ask for when beat, its queue or the upkeep worker is late: the sweep, upkeep.

A thread of every pool process, started when that begins. It looks at the record, not at the broker, and works
here, so that nothing it watches is needed for it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from celery.signals import worker_process_init

from storage.model.errors import CarillonError
from storage.postgres import turns
from workers import sweep, upkeep
from workers.process import Process, this_process

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Upkeep may wait, and must not keep this thread from the sweep.
UPKEEP_LATE = timedelta(minutes=10)
TIDY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Duty:
    """What is done instead when it was not done on time for `late`: every `every` from then on."""

    name: str
    late: timedelta
    every: timedelta
    work: Callable[[Process], object]


def duties(process: Process) -> tuple[Duty, ...]:
    """What a worker does when it is late."""
    second = timedelta(seconds=1)
    tidy = partial(upkeep.tidy, seconds=TIDY_SECONDS)
    return (
        Duty(turns.SWEEP, process.settings.sweep_late, second, sweep.sweep),
        Duty(turns.UPKEEP, UPKEEP_LATE, 10 * second, tidy),
    )


def look(process: Process) -> list[str]:
    """Do what is late, unless another worker does; what it was."""
    done = []
    for duty in duties(process):
        if process.database.transaction(turns.take, duty.name, late=duty.late, every=duty.every):
            process.telemetry.late_turns.labels(duty.name).inc()
            duty.work(process)
            done.append(duty.name)
    return done


def watch(process: Process, *, over: threading.Event) -> None:
    """Look every second until `over`. Whatever fails is tried again with the next look."""
    is_failing = False
    while not over.wait(LOOK_SECONDS):
        try:
            look(process)
            is_failing = False
        except CarillonError as error:
            # Once, not for every second of an hour without PostgreSQL.
            level = logging.DEBUG if is_failing else logging.WARNING
            _log.log(level, "Whether something is late cannot be seen: %s", error.detail)
            is_failing = True


def install() -> None:
    """Have every pool process look."""

    def start(**_: object) -> None:
        over = threading.Event()
        process = this_process()  # here and not in the thread: it is made once
        options = {"process": process, "over": over}
        threading.Thread(target=watch, kwargs=options, name="deputy", daemon=True).start()

    worker_process_init.connect(start, weak=False)
