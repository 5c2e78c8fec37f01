"""Keeps a set of services running, shows chosen lines of their logs, and stops them all.

Used by `carillon up`. It must not know what the services are. Everything happens in the thread that calls: services must
be launched from the thread that lives longest (`ops/local/child.py`). While it waits or watches it looks at every
service ten times a second.
"""

import contextlib
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from ops.local.log_files import LogReader, read_log_end
from storage.model.errors import CarillonError, PermanentError, TransientError

PAUSE_SECONDS = 0.1
STEADY_SECONDS = 10.0  # a service that ran this long has recovered: its pauses are short again
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = (
    0.25,
    15.0,
)  # between a service's end and its next start
CRASHES_IN_START = 3  # so often in a row before all was up: the start has failed

# For the last stage and for the one before it; together below the 10 s that stopping may take.
STOP_SECONDS = (6.5, 2.5)


class Service(Protocol):
    """What can be supervised; `ops.local.child.Child` and the embedded servers are."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def log(self) -> Path: ...  # noqa: D102
    @property
    def exit_code(self) -> int | None: ...  # noqa: D102
    def launch(self) -> None: ...  # noqa: D102
    def is_running(self) -> bool: ...  # noqa: D102
    def ask_to_stop(self) -> None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102


class StopRequested(Exception):
    """The supervisor was asked to stop while it waited for something else."""


@dataclass(slots=True)
class SupervisedService:
    """A service and what is known of it. Times are the supervisor's clock.

    `crashes` counts ends in a row; `relaunch_at` is None while the service runs, or has ended and nobody has noticed.
    """

    service: Service
    stage: int
    log: LogReader
    launched_at: float
    crashes: int = 0
    relaunch_at: float | None = None
    is_log_in_trouble: bool = False


class Supervisor:
    """Runs services in stages: a later stage needs the earlier ones, and is stopped before them."""

    def __init__(
        self, *, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`say` gets every line that is for the terminal. If it fails, the line is lost and nothing else happens."""
        self._print_line = say
        self._clock = clock
        self._supervised: list[SupervisedService] = []
        self._stop_requests = 0
        self._is_up = False

    def request_stop(self) -> None:
        """Make `wait_for` and `watch` end. Called a second time, `stop` no longer waits and kills. Safe in a signal handler."""
        self._stop_requests += 1

    @property
    def is_busy(self) -> bool:
        """Whether a service was launched, so that there is something to stop."""
        return bool(self._supervised)

    def add(self, service: Service, *, stage: int, loud: str = "") -> None:
        """Launch `service` and supervise it from now on.

        New lines of its log in which the pattern `loud` is found are shown, under its name; every line if it is empty.
        """
        log = LogReader(service.log, re.compile(loud))
        service.launch()
        self._supervised.append(SupervisedService(service, stage, log, self._clock()))

    def wait_for(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Keep the services running until `ready` is true; it is asked ten times a second.

        Raises StopRequested if a stop is requested, TransientError after `seconds` (`what` names what was not ready), and
        PermanentError, with the end of its log, if a service ends CRASHES_IN_START times in a row.
        """
        end = self._clock() + seconds
        while not ready():
            self._check_all()
            if self._stop_requests:
                raise StopRequested
            if self._clock() > end:
                raise TransientError(f"{what} is not ready after {seconds:g} seconds.")
            time.sleep(PAUSE_SECONDS)

    def watch(self) -> None:
        """Keep the services running until a stop is requested. A service that keeps ending is started again for ever."""
        self._is_up = True
        while not self._stop_requests:
            self._check_all()
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """Stop every service, last stage first, and kill what has not ended in time.

        The last stage has 6.5 s to end and the one before it 2.5 s; stages before those are killed at once. A process that
        even a kill does not end, because it hangs in the kernel, is waited for and then reported and left.
        """
        for supervised in self._supervised:
            self._show_log(supervised)
        stages = sorted({supervised.stage for supervised in self._supervised}, reverse=True)
        for stage, seconds in zip(stages, STOP_SECONDS, strict=False):
            services = [one.service for one in self._supervised if one.stage == stage]
            self._stop_stage(services, seconds)
        for supervised in reversed(self._supervised):
            self._kill(supervised.service)

    def _stop_stage(self, services: list[Service], seconds: float) -> None:
        end = self._clock() + seconds
        for service in services:
            service.ask_to_stop()
        while any(service.is_running() for service in services) and self._clock() < end:
            if self._stop_requests > 1:
                break
            time.sleep(PAUSE_SECONDS / 2)
        for service in services:
            if service.is_running():
                why = (
                    "is killed" if self._stop_requests > 1 else "did not stop in time and is killed"
                )
                self._say(f"{service.name} {why}.")
            self._kill(service)  # also what it forked and left behind

    def _check_all(self) -> None:
        for supervised in self._supervised:
            self._show_log(supervised)
            if supervised.relaunch_at is not None:
                self._relaunch(supervised)
            elif not supervised.service.is_running():
                self._handle_end(supervised)
            elif self._clock() - supervised.launched_at > STEADY_SECONDS:
                supervised.crashes = 0

    def _handle_end(self, supervised: SupervisedService) -> None:
        service = supervised.service
        supervised.crashes += 1
        end = _describe_end(service.exit_code)
        self._kill(service)  # what it forked must not run beside its successor
        if supervised.crashes >= CRASHES_IN_START and not self._is_up:
            raise PermanentError(
                f"{service.name} keeps ending ({end}). {service.log} ends with:\n"
                f"{read_log_end(service.log)}"
            )
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (supervised.crashes - 1), LONGEST_PAUSE_SECONDS)
        supervised.relaunch_at = self._clock() + pause
        again = f", {supervised.crashes} times in a row" if supervised.crashes > 1 else ""
        self._say(f"{service.name} ended ({end}){again}; started again in {pause:g} s.")
        if supervised.crashes % CRASHES_IN_START == 0:
            self._say(f"{service.log} ends with:\n{read_log_end(service.log)}")

    def _relaunch(self, supervised: SupervisedService) -> None:
        if supervised.relaunch_at is None or self._clock() < supervised.relaunch_at:
            return
        supervised.relaunch_at = None
        supervised.launched_at = self._clock()
        try:
            supervised.service.launch()
        except (OSError, CarillonError) as error:
            # The disk is full, or there are no more processes to be had: that passes, and we must be there then.
            supervised.relaunch_at = self._clock() + LONGEST_PAUSE_SECONDS
            self._say(f"{supervised.service.name} cannot be started: {error}")

    def _kill(self, service: Service) -> None:
        try:
            service.kill()
        except (OSError, subprocess.TimeoutExpired, psutil.Error) as error:
            # A process that hangs in the kernel: the others are to be stopped all the same.
            self._say(f"{service.name} cannot be killed: {error}")

    def _say(self, line: str) -> None:
        # The terminal is closed, or it is a file on a disk that is full.
        with contextlib.suppress(OSError, ValueError):
            self._print_line(line)

    def _show_log(self, supervised: SupervisedService) -> None:
        """Say the new lines of its log that are to be shown, and keep the log from growing without end.

        Whatever is the matter with the log (its disk is full or gone), the service runs on and is supervised.
        """
        name = supervised.service.name
        try:
            for line in supervised.log.read_new():
                self._say(f"{name} | {line}")
            supervised.log.rotate()
        except OSError as error:
            if not supervised.is_log_in_trouble:
                self._say(f"The log of {name} is in trouble: {error}")
            supervised.is_log_in_trouble = True
        else:
            supervised.is_log_in_trouble = False


def _describe_end(exit_code: int | None) -> str:
    if exit_code is None:
        return "did not start"
    return f"exit code {exit_code}" if exit_code >= 0 else f"signal {-exit_code}"
