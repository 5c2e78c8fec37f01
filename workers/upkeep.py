"""Upkeep: what keeps the tables fit for tomorrow, in short transactions, each kind of work in turn.

Beat asks for it every few seconds, and each time it stops soon: what is left is for the next time, however much it is.
Every step is safe to repeat, to interrupt and to run twice at once.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypedDict

from storage.model.errors import CarillonError, TransientError
from storage.postgres import audit, periodic_jobs
from storage.postgres.app_events import retention as app_events_retention
from storage.postgres.broadcasts import planning
from storage.postgres.messages import partitions, recounts
from storage.postgres.schema import MONTHS_AHEAD
from storage.postgres.sends import held_sends, idempotency
from workers import erasures, retention
from workers.services import Services

_log = logging.getLogger(__name__)

SECONDS = 2.0
KEYS_PER_SLICE = (
    5_000  # idempotency keys deleted in one transaction: short enough for others to wait for
)
CHANGES_PER_SLICE = 5_000  # notes that somebody became active or stopped being it
AUDIT_ROWS_PER_SLICE = 5_000  # of what operators did, years ago
APP_EVENTS_PER_SLICE = 1_000  # an event of reads is some tens of KB
CONVERSATIONS_PER_SLICE = 1_000  # recounted in one transaction, or so
ROWS_PER_PAGE = 50  # of `conversations` and of `todos`, about

# Does a little, in one transaction, and returns whether there is more to do.
Step = Callable[[], bool]


def tidy_on_time(services: Services) -> None:
    """Note that upkeep is not late, then tidy; this is what beat asks for."""
    services.database.transaction(periodic_jobs.record_start, periodic_jobs.UPKEEP)
    tidy(services)


def tidy(
    services: Services, *, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic
) -> bool:
    """Make coming months' partitions and take away what is past its time, for about `seconds`; False: nothing is left.

    Every kind of work has its turn however much the others have to do. One that fails is logged and left for the next
    call; the others go on.
    """
    deadline = now() + seconds
    left = deque(_list_steps(services))
    while left and now() < deadline:
        step = left.popleft()
        try:
            has_more = step()
        except CarillonError as error:
            # Later if others hold what it needs; if it can never work, an operator has to read this.
            level = logging.WARNING if isinstance(error, TransientError) else logging.ERROR
            _log.log(level, "A part of upkeep failed, and is tried again: %s", error.detail)
            continue
        if has_more:
            left.append(step)
    return bool(left)


def start_recount(services: Services) -> None:
    """Begin a recount of unread counters and to-dos, unless one runs; upkeep goes on with it. Beat asks for it every night."""
    services.database.transaction(recounts.start_recount)


def _list_steps(services: Services) -> tuple[Step, ...]:
    return (
        partial(_add_months, services),
        _KeyPurge(services),
        partial(_purge_activity_changes, services),
        partial(retention.drop_slice, services),
        partial(erasures.erase_slice, services),
        partial(_drop_old_audit, services),
        partial(_drop_old_app_events, services),
        partial(_recount_slice, services),
        partial(_recount_todos_slice, services),
        partial(_measure_held, services),
        partial(_show_last_backup, services),
    )


def _add_months(services: Services) -> bool:
    added = services.database.transaction(partitions.add_months, MONTHS_AHEAD)
    if added:
        _log.info("Upkeep: %d months added.", added)
    return False


class _KeyPurge:
    """Deletes idempotency keys past their day, slice after slice; it remembers how far it has come."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._after: datetime | None = None

    def __call__(self) -> bool:
        self._after = self._services.database.transaction(
            idempotency.purge_keys, slice=KEYS_PER_SLICE, after=self._after
        )
        return self._after is not None


def _purge_activity_changes(services: Services) -> bool:
    slice = CHANGES_PER_SLICE
    return services.database.transaction(planning.purge_activity_changes, slice=slice) >= slice


def _drop_old_audit(services: Services) -> bool:
    kept = services.settings.audit_retention
    slice = AUDIT_ROWS_PER_SLICE
    return services.database.transaction(audit.drop_old, kept=kept, slice=slice) >= slice


def _drop_old_app_events(services: Services) -> bool:
    drop = app_events_retention.drop_old_events
    return services.database.transaction(drop, slice=APP_EVENTS_PER_SLICE)


def _measure_held(services: Services) -> bool:
    # Here and not with the backlog, which every ingest process measures each second: it reads all that is held.
    held = services.database.transaction(held_sends.count_held)
    services.metrics.held_sends.set(sum(held.values()))
    return False


def _show_last_backup(services: Services) -> bool:
    rows = services.database.transaction(audit.list_rows, limit=1, act=audit.BACKED_UP)
    for row in rows:
        as_of = datetime.fromisoformat((row.after or {})["as_of"])
        services.metrics.last_backup.set(as_of.timestamp())
    return False


def _recount_slice(services: Services) -> bool:
    """Go on with a recount that was begun; drift is logged as an error and counted, not repaired."""
    found = services.database.transaction(recounts.recount_slice, **_choose_sample(services))
    if found is None:
        return False
    for drift in found.drifts:
        _log.error(
            "Unread drift: user %d, conversation %d has %d, really %d.",
            *(drift.user_id, drift.peer_id, drift.counter, drift.real),
        )
    return found.has_more


def _recount_todos_slice(services: Services) -> bool:
    """The same of to-dos."""
    found = services.database.transaction(recounts.recount_todos_slice, **_choose_sample(services))
    if found is None:
        return False
    for drift in found.drifts:
        _log.error(
            "To-do drift: that of user %d for message %d is wrong.", drift.user_id, drift.message_id
        )
    return found.has_more


class _Sample(TypedDict):
    """How much of a table a slice of a recount looks at: a share in per cent, of so many pages."""

    percent: float
    blocks: int


def _choose_sample(services: Services) -> _Sample:
    percent = services.settings.drift_sample_percent
    blocks = CONVERSATIONS_PER_SLICE * 100 // (ROWS_PER_PAGE * max(1, percent))
    return {"percent": float(percent), "blocks": blocks}
