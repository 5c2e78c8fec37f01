"""How a task ends, and what that says of its process: for the tasks of every worker."""

import logging
import os
from collections.abc import Callable

from storage.model.errors import TransientError
from workers.supervision.liveness import Liveness

_log = logging.getLogger(__name__)


def make_task(name: str, work: Callable[[], object], liveness: Liveness) -> Callable[[], None]:
    """A task that does `work`, and tells `liveness` whether it succeeded."""

    def run_task() -> None:
        try:
            work()
        except TransientError as error:
            # PostgreSQL is away or restarting. Nothing is lost: the sweep rings until it is done.
            _log.warning("%s: %s", name, error.detail)
            _record_failure(liveness)
        except Exception:
            _record_failure(liveness)
            raise
        else:
            liveness.record_success()

    return run_task


def _record_failure(liveness: Liveness) -> None:
    """Note a failed task; end a process that fails at everything: its worker replaces it."""
    if liveness.record_failure():
        _log.error("This process fails at everything: ending.")
        os._exit(os.EX_TEMPFAIL)
