"""Upkeep: what keeps the tables fit for tomorrow, in short transactions, each kind in turn.

Asked for every few seconds, and each time it stops soon: what is left is for the next time, however much it is. Every
step is safe to repeat, to interrupt and for two to do at once.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from storage.model.errors import CarillonError, TransientError
from storage.postgres import turns
from storage.postgres.broadcasts import planning
from storage.postgres.database import MONTHS_AHEAD
from storage.postgres.messages import partitions, recounts
from storage.postgres.sends import idempotency
from workers import retention
from workers.services import Services

_log = logging.getLogger(__name__)

SECONDS = 2.0
KEYS = 5_000  # idempotency keys a transaction: short enough for others to wait for
CHANGES = 5_000  # of people who stopped or started being active
RECOUNTED = 1_000  # conversations a transaction, or so
ROWS_A_PAGE = 50  # of `conversations`

# A step does a little and tells whether more is to be done.
Step = Callable[[], bool]


def tidy_on_time(services: Services) -> None:
    """The upkeep that beat asks for: as `tidy`, and notes that it is not late."""
    services.database.transaction(turns.note, turns.UPKEEP)
    tidy(services)


def tidy(
    services: Services, *, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic
) -> bool:
    """Make coming months' partitions, and take away what is past its time, as far as `seconds` go.

    Each kind has its turn whatever the others have to do, and one that fails keeps none from theirs. False: nothing is left.
    """
    deadline = now() + seconds
    left = deque(_steps(services))
    while left and now() < deadline:
        step = left.popleft()
        try:
            has_more = step()
        except CarillonError as error:
            # Others hold what it needs, or it never will work: it is for the next time, or for who reads this.
            level = logging.WARNING if isinstance(error, TransientError) else logging.ERROR
            _log.log(level, "Upkeep, one kind of it, for now not: %s", error.detail)
            continue
        if has_more:
            left.append(step)
    return bool(left)


def _steps(services: Services) -> tuple[Step, ...]:
    return (
        lambda: _add_months(services),
        _Keys(services),
        lambda: (
            services.database.transaction(planning.purge_activity_changes, slice=CHANGES) >= CHANGES
        ),
        lambda: retention.step(services),
        lambda: _recount(services),
    )


def _add_months(services: Services) -> bool:
    added = services.database.transaction(partitions.add_months, MONTHS_AHEAD)
    if added:
        _log.info("Upkeep: %d months added.", added)
    return False


class _Keys:
    """Forgets idempotency keys past their day, slice after slice."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._after: datetime | None = None

    def __call__(self) -> bool:
        self._after = self._services.database.transaction(
            idempotency.purge_keys, slice=KEYS, after=self._after
        )
        return self._after is not None


def start_recount(services: Services) -> None:
    """Begin the nightly recount of unread counters; upkeep goes on with it."""
    services.database.transaction(recounts.start_recount)


def _recount(services: Services) -> bool:
    """Recount some; drift is an error in the log and a metric, not repaired."""
    percent = services.settings.drift_sample_percent
    blocks = RECOUNTED * 100 // (ROWS_A_PAGE * max(1, percent))
    found = services.database.transaction(
        recounts.recount_slice, percent=float(percent), blocks=blocks
    )
    if found is None:
        return False
    for drift in found.drifts:
        _log.error(
            "Unread drift: user %d, conversation %d has %d, really %d.",
            drift.user_id,
            drift.peer_id,
            drift.counter,
            drift.real,
        )
    return found.has_more
