"""The intake: sends that passed the rules are committed, many at a time.

Group commit: while one batch commits, the next gathers (docs/decisions/0005-group-commit.md). The doorbell
is rung after the commit and is never waited for. What `accept` returned is a promise (contract §2).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from ingest.metrics import Telemetry
from ingest.micro_batcher import MicroBatcher
from ingest.sends.backlog import BacklogMonitor
from ingest.settings import IngestSettings
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS
from storage.model.errors import CallerError, CarillonError, PermanentError, TransientError
from storage.model.origin import Origin
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.database import Database
from storage.postgres.sends import batch_keys, idempotency, intake
from storage.postgres.sends.batch_keys import FirstAnswers
from storage.postgres.sends.intake import IntakeItem

_log = logging.getLogger(__name__)

FULL = "Too much is waiting to be delivered."
SLOW = "The message could not be stored in time."


class Intake:
    """Takes sends in."""

    def __init__(
        self,
        database: Database,
        *,
        doorbell: Doorbell,
        backlog: BacklogMonitor,
        telemetry: Telemetry,
        settings: IngestSettings,
    ) -> None:
        self._database = database
        self._doorbell = doorbell
        self._backlog = backlog
        self._telemetry = telemetry
        self._batches: MicroBatcher[IntakeItem, Accepted] = MicroBatcher(
            self._commit,
            size=settings.intake_batch,
            patience=settings.intake_patience,
            sentence=SLOW,
            tell_wait=telemetry.gathering.observe,
        )
        # Gathered too: who is over a limit may well go on asking, with a key each time.
        self._first_answers: MicroBatcher[IdempotencyKey, Accepted | None] = MicroBatcher(
            self._look_up,
            size=settings.intake_batch,
            patience=settings.intake_patience,
        )
        # One after the other: hundreds of keys each, so not many connections at once.
        self._bindings: MicroBatcher[tuple[IdempotencyKey, int], FirstAnswers] = MicroBatcher(
            self._bind, size=1, patience=settings.intake_patience, sentence=SLOW
        )

    def accept(self, request: IntakeItem) -> Awaitable[Accepted]:
        """Commit one send. Raises Invalid (a key used for another body), or TransientError.

        After TransientError it may have been accepted all the same, if its commit had begun: only a retry
        with an idempotency key is safe (contract §2).
        """
        if self._backlog.is_full:
            raise TransientError(FULL)
        return self._batches.submit(request)

    async def accept_again(self, key: IdempotencyKey) -> Accepted | None:
        """The first answer to a key, for a request that would be refused today; None if it is new.

        Raises Invalid for a key of another body, or TransientError.
        """
        return await self._first_answers.submit(key)

    async def _look_up(
        self, keys: Sequence[IdempotencyKey]
    ) -> Sequence[Accepted | CarillonError | None]:
        return await self._database.query(idempotency.find_first_answers, keys)

    def bind(self, key: IdempotencyKey, size: int) -> Awaitable[FirstAnswers]:
        """Bind a batch's key to its body; what its `size` entries were answered before.

        Raises Invalid for a key of another body, or TransientError.
        """
        return self._bindings.submit((key, size))

    async def keep_refusals(self, key: IdempotencyKey, refused: Mapping[int, Any]) -> None:
        """Keep the answers to entries of a batch that were refused. Raises TransientError."""
        await self._database.query(batch_keys.record_refused, key, refused)

    async def _bind(
        self, asked: Sequence[tuple[IdempotencyKey, int]]
    ) -> list[FirstAnswers | CarillonError]:
        ask = self._database.query
        return [await ask(batch_keys.bind_batch, key, size=size) for key, size in asked]

    async def accept_all(self, requests: Sequence[IntakeItem]) -> list[Accepted | CarillonError]:
        """Commit several, in their order; each succeeds or fails alone, but TransientError is raised for all."""
        asked = map(self.accept, requests)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, PermanentError | CallerError
            ):
                raise outcome
        return [one for one in outcomes if isinstance(one, Accepted | CarillonError)]

    async def _commit(self, requests: Sequence[IntakeItem]) -> Sequence[Accepted | CallerError]:
        began = time.perf_counter()
        outcomes = await self._database.query(intake.accept, requests)
        self._telemetry.committing.observe(time.perf_counter() - began)
        self._telemetry.batch_size.observe(len(requests))
        new = [one.send for one in outcomes if isinstance(one, Accepted) and not one.is_replay]
        self._telemetry.accepted(new)
        self._backlog.add(len(new))
        if new:
            self._doorbell.ring(SENDS)
        if _log.isEnabledFor(logging.DEBUG):
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(outcome, Accepted):
                    extra = {"request_id": Origin.of(request.origin).request_id}
                    _log.debug("accept: message %d", outcome.id, extra=extra)
        return outcomes
