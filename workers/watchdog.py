"""The watchdog of a worker's main process: one that does nothing while work is due ends itself, to be started again.

Celery consumers can stay up after a broker's trouble and take nothing more, and pools can fail at all they take. Whoever runs the worker
(`carillon up`, a container's restart policy) starts it again. Hooked in by `celery_app.py`; a thread,
because what it watches is the main one.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

import billiard
from celery.signals import worker_ready

from storage.broker import BROADCASTS, SENDS, UPKEEP, Doorbell, QueueSettings
from storage.model.errors import CarillonError
from storage.postgres import sessions
from storage.postgres.broadcasts import lane_work
from storage.postgres.database import BlockingDatabase
from storage.postgres.sends import due_work
from storage.settings import DatabaseSettings, load
from workers.liveness import Liveness
from workers.settings import WorkerSettings

_log = logging.getLogger(__name__)

LOOKS = 6  # in the time that a stall takes to be one
LAST_WORDS_SECONDS = 10.0  # for a shutdown in good order, before the hard one
EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again


class Stall:
    """Whether a worker hangs: work was due at every look for `limit_seconds`, and it did none."""

    def __init__(self, *, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._since: float | None = None

    def looks_stalled(self, *, now: float, last_success_at: float, is_due: bool) -> bool:
        """One look. `last_success_at`: when it last did something, whatever it was; in the clock of `now`."""
        if not is_due:
            self._since = None
            return False
        self._since = max(self._since or now, last_success_at)
        return now - self._since >= self._limit_seconds


class Watchdog:
    """Looks now and then whether this worker stalls, and ends the process if it does."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        queues: Collection[str],
        liveness: Liveness,
        end: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._queues = queues
        self._liveness = liveness
        self._end = end
        self._clock = clock
        self._limit = load(WorkerSettings, environ).stall
        self._stall = Stall(limit_seconds=self._limit.total_seconds())

    def watch(self) -> None:
        """Look until the worker stalls, then end it. Never returns otherwise."""
        pause = threading.Event()
        while not self.look():
            pause.wait(self._limit.total_seconds() / LOOKS)
        _log.error("No work done for %s while work is due: ending.", self._limit)
        self._end()

    def look(self) -> bool:
        """Whether the worker stalls. Without record or broker nobody can tell: then it does not."""
        try:
            is_due = self._is_due() and self._has_broker()
        except CarillonError as error:
            _log.warning("The watchdog cannot see what is due: %s", error.detail)
            is_due = False
        return self._stall.looks_stalled(
            now=self._clock(), last_success_at=self._liveness.last_success_at, is_due=is_due
        )

    def _is_due(self) -> bool:
        # Connections of a moment: the pool's children are forked from this process.
        database = BlockingDatabase(
            load(DatabaseSettings, self._environ),
            application_name="carillon watchdog",
            limits=sessions.WORKER,
        )
        try:
            return any(_DUE[queue](database, self._limit / LOOKS) for queue in self._queues)
        finally:
            database.close()

    def _has_broker(self) -> bool:
        doorbell = Doorbell(load(QueueSettings, self._environ))
        try:
            return doorbell.reachable()
        finally:
            doorbell.close()


def _sends_due(database: BlockingDatabase, grace: timedelta) -> bool:
    return database.transaction(due_work.has_overdue_work, grace=grace)


def _broadcasts_due(database: BlockingDatabase, _grace: timedelta) -> bool:
    return database.transaction(lane_work.has_due_work)


def _sweep_due(database: BlockingDatabase, grace: timedelta) -> bool:
    """Work whose ring may have been lost, or a scheduled send that nobody rang for: the sweep is late."""
    return _sends_due(database, grace) or _broadcasts_due(database, grace)


_DUE = {SENDS: _sends_due, BROADCASTS: _broadcasts_due, UPKEEP: _sweep_due}


def end_process() -> None:
    """End this process: in good order if it still can, or else at once, with its pool."""
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(LAST_WORDS_SECONDS)
    for child in billiard.active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(EXIT_CODE)


def install(environ: Mapping[str, str], liveness: Liveness) -> None:
    """Watch every worker of this process from the moment it is ready; its pool tells `done`."""

    def start(sender: Any, **_: Any) -> None:
        queues = [name for name in sender.app.amqp.queues.consume_from if name in _DUE]
        watchdog = Watchdog(environ, queues=queues, liveness=liveness, end=end_process)
        liveness.record_success()
        threading.Thread(target=watchdog.watch, name="watchdog", daemon=True).start()

    worker_ready.connect(start, weak=False)
