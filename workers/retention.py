"""Retention: months past CARILLON_RETENTION_DAYS go, a slice at a time, as a part of upkeep."""

import logging
import time
from collections.abc import Callable

from storage import retention
from workers.process import Process

_log = logging.getLogger(__name__)

SLICE = 2_000  # conversations a transaction: some 50 ms
# Celery ends a task after 30 s; the next hour goes on where this one ended.
SECONDS = 20.0


def retain(process: Process, *, now: Callable[[], float] = time.monotonic) -> list[str]:
    """Let expired months go, as far as the time allows; those that are gone now."""
    deadline = now() + SECONDS
    gone: list[str] = []
    run, kept = process.database.run, process.settings.retention
    while kept and (month := run(retention.expired, kept=kept)):
        while run(retention.settle, month, slice=SLICE):
            if now() >= deadline:
                return gone
        if not run(retention.is_settled, month):
            continue
        run(retention.drop, month)
        _log.info("Retention: the month %s is gone.", month.suffix.lstrip("_"))
        gone.append(month.suffix)
    return gone
