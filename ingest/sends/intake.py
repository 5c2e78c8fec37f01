"""The intake: sends that passed the rules are committed, many at a time.

Group commit: while one batch commits, the next gathers (docs/decisions/0005-group-commit.md). The doorbell
is rung after the commit and is never waited for. What `accept` returned is a promise (contract §2).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence

from ingest.metrics import IngestMetrics
from ingest.micro_batcher import MicroBatcher
from ingest.sends.backlog import BacklogMonitor
from ingest.settings import IngestSettings
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS
from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, CarillonError, PermanentError, TransientError
from storage.model.origin import Origin
from storage.model.send import Accepted
from storage.postgres.database import Database
from storage.postgres.sends import intake
from storage.postgres.sends.intake import IntakeItem

_log = logging.getLogger(__name__)

FULL = "Too much is waiting to be delivered."
SLOW = "The message could not be stored in time."


class Intake:
    """Commits sends, and has their persisting begin."""

    def __init__(
        self,
        database: Database,
        *,
        doorbell: Doorbell,
        backlog: BacklogMonitor,
        metrics: IngestMetrics,
        settings: IngestSettings,
    ) -> None:
        self._database = database
        self._doorbell = doorbell
        self._backlog = backlog
        self._metrics = metrics
        self._batcher: MicroBatcher[IntakeItem, Accepted] = MicroBatcher(
            self._commit,
            size=settings.intake_batch,
            patience=settings.intake_patience,
            sentence=SLOW,
            code=ErrorCode.NOT_CONFIRMED,
            tell_wait=metrics.gather_seconds.observe,
        )

    def accept(self, item: IntakeItem) -> Awaitable[Accepted]:
        """Commit one send. Raises TransientError when too much is waiting.

        Awaiting it raises Invalid (a key used for another body) or TransientError. After TransientError the send
        may have been accepted all the same, if its commit had begun: only a retry with an idempotency key is safe.
        """
        if self._backlog.is_full:
            raise TransientError(FULL, code=ErrorCode.QUEUE_FULL)
        return self._batcher.submit(item)

    async def accept_all(self, items: Sequence[IntakeItem]) -> list[Accepted | CarillonError]:
        """Commit several sends, in their order; each succeeds or fails alone.

        Raises TransientError for all of them if it is raised for one: some may have been accepted.
        """
        outcomes = await asyncio.gather(*map(self.accept, items), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, PermanentError | CallerError
            ):
                raise outcome
        return [one for one in outcomes if isinstance(one, Accepted | CarillonError)]

    async def _commit(self, items: Sequence[IntakeItem]) -> Sequence[Accepted | CallerError]:
        began = time.perf_counter()
        outcomes = await self._database.query(intake.accept, items)
        self._metrics.commit_seconds.observe(time.perf_counter() - began)
        self._metrics.batch_size.observe(len(items))
        self._announce([one for one in outcomes if isinstance(one, Accepted) and not one.is_replay])
        if _log.isEnabledFor(logging.DEBUG):
            _log_accepted(items, outcomes)
        return outcomes

    def _announce(self, accepted: Sequence[Accepted]) -> None:
        """Count what is new, and ring for it."""
        self._metrics.count_accepted([one.send for one in accepted])
        # Scheduled sends do not count against the cap, also not until the next measure.
        self._backlog.note_accepted(sum(one.send.send_at is None for one in accepted))
        if accepted:
            self._doorbell.ring(SENDS)


def _log_accepted(items: Sequence[IntakeItem], outcomes: Sequence[Accepted | CallerError]) -> None:
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            extra = {"request_id": Origin.parse(item.origin).request_id}
            _log.debug("accept: message %d", outcome.id, extra=extra)
