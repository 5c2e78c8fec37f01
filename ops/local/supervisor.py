"""Keeps a set of services running, shows what they complain about, and stops them all.

Knows nothing of Carillon. One thread: services must be launched from the thread that lives longest
(`ops/local/child.py`), and there is nothing to wait for but the next look, ten times a second.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from ops.local.embedded import read_log_end
from storage.model.errors import CarillonError, PermanentError, TransientError

PAUSE_SECONDS = 0.1
STEADY_SECONDS = 10.0  # a service that ran this long has recovered: back-off starts anew
LONGEST_BACK_OFF_SECONDS = 15.0
CRASHES_IN_START = 3  # so often in a row before all was up: the start has failed
LOG_LIMIT_BYTES = 20_000_000
LOG_END_BYTES = 1_000_000

# Together they stay below the 10 s that stopping may take.
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
    """Somebody asked us to stop while we were waiting for something else."""


@dataclass(slots=True)
class Watched:
    """A service and what is known of it."""

    service: Service
    stage: int
    loud: re.Pattern[str]
    launched_at: float
    crashes: int = 0
    relaunch_at: float | None = None
    shown: int = field(default=0)
    is_log_in_trouble: bool = False


class Supervisor:
    """Services in stages: a later stage needs the earlier ones, and is stopped before them."""

    def __init__(
        self, *, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`say` gets every line that is for the terminal; that it fails harms nobody."""
        self._terminal = say
        self._clock = clock
        self._watched: list[Watched] = []
        self._stop_requests = 0
        self._is_up = False

    def request_stop(self) -> None:
        """Ask to stop; asked twice, everything is killed at once. Safe in a signal handler."""
        self._stop_requests += 1

    def add(self, service: Service, *, stage: int, loud: str = "") -> None:
        """Launch `service` and watch it; lines of its log that match `loud` are shown."""
        shown = service.log.stat().st_size if service.log.exists() else 0
        service.launch()
        self._watched.append(Watched(service, stage, re.compile(loud), self._clock(), shown=shown))

    def wait_for(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Watch until `ready`.

        Raises StopRequested; TransientError after `seconds`; PermanentError when a service keeps dying.
        """
        end = self._clock() + seconds
        while not ready():
            self._look()
            if self._stop_requests:
                raise StopRequested
            if self._clock() > end:
                raise TransientError(f"{what} is not ready after {seconds:g} seconds.")
            time.sleep(PAUSE_SECONDS)

    def watch(self) -> None:
        """Watch until asked to stop; from now on nothing makes us give up."""
        self._is_up = True
        while not self._stop_requests:
            self._look()
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """Stop every service, last stage first, within 10 seconds; what is left is killed."""
        for watched in self._watched:
            self._show(watched)
        stages = sorted({watched.stage for watched in self._watched}, reverse=True)
        for stage, seconds in zip(stages, STOP_SECONDS, strict=False):
            self._stop_stage([one.service for one in self._watched if one.stage == stage], seconds)
        for watched in reversed(self._watched):
            self._kill(watched.service)

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
                self._say(f"{service.name} did not stop in time and is killed.")
            self._kill(service)  # also what it forked and left behind

    def _look(self) -> None:
        for watched in self._watched:
            self._show(watched)
            if watched.relaunch_at is not None:
                self._relaunch(watched)
            elif not watched.service.is_running():
                self._note_death(watched)
            elif self._clock() - watched.launched_at > STEADY_SECONDS:
                watched.crashes = 0

    def _note_death(self, watched: Watched) -> None:
        service = watched.service
        watched.crashes += 1
        ending = _ending(service.exit_code)
        self._kill(service)  # what it forked must not run beside its successor
        if watched.crashes >= CRASHES_IN_START and not self._is_up:
            raise PermanentError(
                f"{service.name} keeps ending ({ending}). {service.log} ends with:\n"
                f"{read_log_end(service.log)}"
            )
        pause = min(0.25 * 2 ** (watched.crashes - 1), LONGEST_BACK_OFF_SECONDS)
        watched.relaunch_at = self._clock() + pause
        again = f", {watched.crashes} times in a row" if watched.crashes > 1 else ""
        self._say(f"{service.name} ended ({ending}){again}; started again in {pause:g} s.")
        if watched.crashes % CRASHES_IN_START == 0:
            self._say(f"{service.log} ends with:\n{read_log_end(service.log)}")

    def _relaunch(self, watched: Watched) -> None:
        if watched.relaunch_at is None or self._clock() < watched.relaunch_at:
            return
        watched.relaunch_at = None
        watched.launched_at = self._clock()
        try:
            watched.service.launch()
        except (OSError, CarillonError) as error:
            # The disk is full, or there are no more processes to be had: that passes, and we must be there then.
            watched.relaunch_at = self._clock() + LONGEST_BACK_OFF_SECONDS
            self._say(f"{watched.service.name} cannot be started: {error}")

    def _kill(self, service: Service) -> None:
        try:
            service.kill()
        except (OSError, subprocess.TimeoutExpired, psutil.Error) as error:
            # One that hangs in the kernel: the others are to be stopped all the same.
            self._say(f"{service.name} cannot be killed: {error}")

    def _say(self, line: str) -> None:
        # The terminal is closed, or a file on a disk that is full.
        with contextlib.suppress(OSError, ValueError):
            self._terminal(line)

    def _show(self, watched: Watched) -> None:
        """Pass on the new lines that are loud, and keep the log from growing without end.

        Whatever is the matter with the log (its disk is full or gone), the service runs on and is watched.
        """
        try:
            self._show_log(watched)
        except OSError as error:
            if not watched.is_log_in_trouble:
                self._say(f"The log of {watched.service.name} is in trouble: {error}")
            watched.is_log_in_trouble = True
        else:
            watched.is_log_in_trouble = False

    def _show_log(self, watched: Watched) -> None:
        log = watched.service.log
        size = log.stat().st_size if log.exists() else 0
        if size > watched.shown:
            with log.open("rb") as file:
                file.seek(watched.shown)
                text = file.read(size - watched.shown).decode(errors="replace")
            for line in _matching(text.splitlines(), watched.loud):
                self._say(f"{watched.service.name} | {line}")
        watched.shown = size
        if size > LOG_LIMIT_BYTES:
            _put_away(log)
            watched.shown = 0


def _put_away(log: Path) -> None:
    """Copy a log beside itself and empty it: the service appends to this very file, so it is not replaced.

    Where there is no room for all of it, as much of its end as there is room for once it is empty.
    """
    beside = log.with_suffix(".log.1")
    try:
        shutil.copyfile(log, beside)
    except OSError:
        with log.open("rb") as file:
            file.seek(-LOG_END_BYTES, os.SEEK_END)
            end = file.read()
        log.open("wb").close()
        beside.write_bytes(end)
    else:
        log.open("wb").close()


def _matching(lines: Iterable[str], loud: re.Pattern[str]) -> list[str]:
    return [line for line in lines if line.strip() and loud.search(line)]


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "did not start"
    return f"exit code {exit_code}" if exit_code >= 0 else f"signal {-exit_code}"
