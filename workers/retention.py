"""Retention: months of messages past CARILLON_RETENTION_DAYS are dropped, a slice at a time. A part of upkeep.

Counters and last messages of conversations are settled first, so that nothing that is left shows that the month was
there (docs/decisions/0007-partitions-by-month.md).
"""

import logging

from storage.postgres.messages import partitions, retention
from workers.services import Services

_log = logging.getLogger(__name__)

CONVERSATIONS_PER_SLICE = 2_000  # in one transaction: short enough for others to wait for
CHUNKS_PER_SLICE = 500  # of broadcasts, deleted in one transaction
CARDS_PER_SLICE = 10_000  # to-dos, or names of cards
PAGES_PER_LOOK = 4_096  # of a month's deliveries, looked through in one transaction


def drop_slice(services: Services) -> bool:
    """Take the next step of dropping months that are old enough, in one short transaction; False: there is none.

    Safe to repeat, to interrupt and to run twice at once. Nothing expires while CARILLON_RETENTION_DAYS is 0.
    """
    run, kept = services.database.transaction, services.settings.retention
    if run(retention.clear_slice, slice=CONVERSATIONS_PER_SLICE):
        return True
    month = run(partitions.find_expired_month, kept=kept) if kept else None
    if month is None:
        return False
    if run(retention.settle_slice, month, slice=CONVERSATIONS_PER_SLICE):
        return True
    if (
        run(retention.check_settled, month, blocks=PAGES_PER_LOOK)
        and not run(retention.drop_chunks, month, slice=CHUNKS_PER_SLICE)
        and not run(retention.drop_cards, month, slice=CARDS_PER_SLICE)
    ):
        run(retention.drop_month, month)
        _log.info("Retention: the month %s is gone.", month.suffix.lstrip("_"))
    return True
