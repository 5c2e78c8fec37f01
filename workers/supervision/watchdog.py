"""The watchdog of a worker: one that gets nothing done while work is due ends itself, to be started again.

After trouble with the broker a Celery consumer can stay up and take nothing more, and a pool can fail at all it takes.
What supervises the worker (`carillon up`, a container's restart policy) starts it again. Installed by `celery_app.py` and `callbacks_app.py` in
the main process, as a thread, because it watches the main thread.
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

from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, CALLBACKS, SENDS, UPKEEP, QueueSettings
from storage.model.errors import CarillonError
from storage.postgres import session_limits
from storage.postgres.app_events import pushing
from storage.postgres.broadcasts import lane_work
from storage.postgres.database import BlockingDatabase
from storage.postgres.sends import due_work
from storage.settings import DatabaseSettings, load
from workers.settings import WorkerSettings
from workers.supervision.liveness import Liveness

_log = logging.getLogger(__name__)

LOOKS = 6  # in the time after which a worker counts as stalled
SHUTDOWN_SECONDS = 10.0  # for an orderly shutdown, before the process is killed


class StallDetector:
    """Decides whether a worker is stalled: work was due at every look for `limit_seconds`, and no task succeeded. Pure."""

    def __init__(self, *, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._since: float | None = None

    def is_stalled(self, *, now: float, last_success_at: float, is_due: bool) -> bool:
        """Take one look into account; True: the worker is stalled.

        `last_success_at`: when a task last succeeded, whatever it was. Both instants are seconds of one monotonic clock.
        """
        if not is_due:
            self._since = None
            return False
        self._since = max(self._since or now, last_success_at)
        return now - self._since >= self._limit_seconds


class Watchdog:
    """Looks now and then whether this worker is stalled, and ends it if so."""

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
        self._detector = StallDetector(limit_seconds=self._limit.total_seconds())

    def watch(self) -> None:
        """Look again and again until the worker is stalled, then end it. Does not return before."""
        pause = threading.Event()
        while not self.look():
            pause.wait(self._limit.total_seconds() / LOOKS)
        _log.error("No work done for %s while work is due: ending.", self._limit)
        self._end()

    def look(self) -> bool:
        """Take one look; True: the worker is stalled. While PostgreSQL or the broker is away nothing counts as due."""
        try:
            is_due = self._is_due() and self._has_broker()
        except CarillonError as error:
            _log.warning("The watchdog cannot see what is due: %s", error.detail)
            is_due = False
        return self._detector.is_stalled(
            now=self._clock(), last_success_at=self._liveness.last_success_at, is_due=is_due
        )

    def _is_due(self) -> bool:
        # Its own connections, closed at once: the pool's processes are forked from this one and must not inherit any.
        database = BlockingDatabase(
            load(DatabaseSettings, self._environ),
            application_name="carillon watchdog",
            limits=session_limits.WORKER,
        )
        try:
            return any(
                _HAS_DUE_WORK[queue](database, self._limit / LOOKS) for queue in self._queues
            )
        finally:
            database.close()

    def _has_broker(self) -> bool:
        doorbell = Doorbell(load(QueueSettings, self._environ))
        try:
            return doorbell.is_reachable()
        finally:
            doorbell.close()


def _has_overdue_sends(database: BlockingDatabase, grace: timedelta) -> bool:
    return database.transaction(due_work.has_overdue_work, grace=grace)


def _has_due_broadcasts(database: BlockingDatabase, _grace: timedelta) -> bool:
    return database.transaction(lane_work.has_due_work)


def _has_due_endpoints(database: BlockingDatabase, _grace: timedelta) -> bool:
    return database.transaction(pushing.has_due_endpoint)


def _has_unrung_work(database: BlockingDatabase, grace: timedelta) -> bool:
    """Whether something is due that the sweep should have rung for: then the sweep is late."""
    return _has_overdue_sends(database, grace) or _has_due_broadcasts(database, grace)


_HAS_DUE_WORK = {
    SENDS: _has_overdue_sends,
    BROADCASTS: _has_due_broadcasts,
    UPKEEP: _has_unrung_work,
    CALLBACKS: _has_due_endpoints,
}


def end_process() -> None:
    """End this process and its pool: in an orderly way if it still can, else by force after SHUTDOWN_SECONDS."""
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(SHUTDOWN_SECONDS)
    for child in billiard.active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(os.EX_TEMPFAIL)


def install(environ: Mapping[str, str], liveness: Liveness) -> None:
    """Have the worker watched as soon as it is ready, for the queues it consumes; its pool tells `liveness` what it gets done."""

    def start(sender: Any, **_: Any) -> None:
        queues = [name for name in sender.app.amqp.queues.consume_from if name in _HAS_DUE_WORK]
        watchdog = Watchdog(environ, queues=queues, liveness=liveness, end=end_process)
        liveness.record_success()
        threading.Thread(target=watchdog.watch, name="watchdog", daemon=True).start()

    worker_ready.connect(start, weak=False)
