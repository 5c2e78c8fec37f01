"""Upkeep: what keeps the tables fit for tomorrow. Each step is safe to repeat and to interrupt."""

import logging

from storage import accepted, broadcasts, conversations, messages
from storage.database import MONTHS_AHEAD
from workers import retention
from workers.process import Process

_log = logging.getLogger(__name__)


def hourly(process: Process) -> None:
    """Make coming months' partitions and forget idempotency keys past their day."""
    added = process.database.run(messages.add_months, MONTHS_AHEAD)
    purged = process.database.run(accepted.purge_keys)
    retention.retain(process)
    forgotten = process.database.run(broadcasts.forget_changes)
    _log.info(
        "Upkeep: %d months added, %d idempotency keys and %d changes of people forgotten.",
        added,
        purged,
        forgotten,
    )


def nightly(process: Process) -> int:
    """Recount a sample of unread counters; drift is an error in the log and a metric, not repaired."""
    percent = float(process.settings.drift_sample_percent)
    wrong = process.database.run(conversations.drifted, percent=percent)
    process.database.run(conversations.note_recount, drifted=len(wrong))
    for user_id, peer_id, counter, real in wrong:
        _log.error(
            "Unread drift: user %d, conversation %d has %d, really %d.",
            user_id,
            peer_id,
            counter,
            real,
        )
    return len(wrong)
