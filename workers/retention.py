"""Retention: months past CARILLON_RETENTION_DAYS go, a slice at a time, as a part of upkeep."""

import logging

from storage.postgres.messages import partitions, retention
from workers.services import Services

_log = logging.getLogger(__name__)

SLICE = 2_000  # conversations a transaction: short enough for others to wait for
CHUNKS = 500  # of broadcasts
BLOCKS = 4_096  # pages that are looked through at once


def step(services: Services) -> bool:
    """Take the next step of letting expired months go, one short transaction; False: there is none."""
    run, kept = services.database.transaction, services.settings.retention
    if run(retention.clear_slice, slice=SLICE):
        return True
    month = run(partitions.find_expired_month, kept=kept) if kept else None
    if month is None:
        return False
    if run(retention.settle_slice, month, slice=SLICE):
        return True
    if run(retention.check_settled, month, blocks=BLOCKS) and not run(
        retention.drop_chunks, month, slice=CHUNKS
    ):
        run(retention.drop_month, month)
        _log.info("Retention: the month %s is gone.", month.suffix.lstrip("_"))
    return True
