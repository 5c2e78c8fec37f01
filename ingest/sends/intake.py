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
from ingest.micro_batcher import Batches
from ingest.sends.backlog import BacklogWatch
from ingest.settings import IngestSettings
from storage.broker import SENDS, Doorbell
from storage.model.errors import CallerIsWrong, CarillonError, NeverWillWork, TryLater
from storage.model.origin import Origin
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.database import Database
from storage.postgres.sends import accepted, batch_keys
from storage.postgres.sends.accepted import Request
from storage.postgres.sends.batch_keys import FirstAnswers

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
        backlog: BacklogWatch,
        telemetry: Telemetry,
        settings: IngestSettings,
    ) -> None:
        self._database = database
        self._doorbell = doorbell
        self._backlog = backlog
        self._telemetry = telemetry
        self._batches: Batches[Request, Accepted] = Batches(
            self._commit,
            size=settings.intake_batch,
            patience=settings.intake_patience,
            sentence=SLOW,
            tell_wait=telemetry.gathering.observe,
        )
        # Gathered too: who is over a limit may well go on asking, with a key each time.
        self._first_answers: Batches[IdempotencyKey, Accepted | None] = Batches(
            self._look_up,
            size=settings.intake_batch,
            patience=settings.intake_patience,
        )
        # One after the other: hundreds of keys each, so not many connections at once.
        self._bindings: Batches[tuple[IdempotencyKey, int], FirstAnswers] = Batches(
            self._bind, size=1, patience=settings.intake_patience, sentence=SLOW
        )

    def accept(self, request: Request) -> Awaitable[Accepted]:
        """Commit one send. Raises Invalid (a key used for another body), or TryLater.

        After TryLater it may have been accepted all the same, if its commit had begun: only a retry
        with an idempotency key is safe (contract §2).
        """
        if self._backlog.is_full:
            raise TryLater(FULL)
        return self._batches.ask(request)

    async def accept_again(self, key: IdempotencyKey) -> Accepted | None:
        """The first answer to a key, for a request that would be refused today; None if it is new.

        Raises Invalid for a key of another body, or TryLater.
        """
        return await self._first_answers.ask(key)

    async def _look_up(
        self, keys: Sequence[IdempotencyKey]
    ) -> Sequence[Accepted | CarillonError | None]:
        return await self._database.ask(accepted.first_answers, keys)

    def bind(self, key: IdempotencyKey, size: int) -> Awaitable[FirstAnswers]:
        """Bind a batch's key to its body; what its `size` entries were answered before.

        Raises Invalid for a key of another body, or TryLater.
        """
        return self._bindings.ask((key, size))

    async def keep_refusals(self, key: IdempotencyKey, refused: Mapping[int, Any]) -> None:
        """Keep the answers to entries of a batch that were refused. Raises TryLater."""
        await self._database.ask(batch_keys.note_refused, key, refused)

    async def _bind(
        self, asked: Sequence[tuple[IdempotencyKey, int]]
    ) -> list[FirstAnswers | CarillonError]:
        ask = self._database.ask
        return [await ask(batch_keys.bind, key, size=size) for key, size in asked]

    async def accept_all(self, requests: Sequence[Request]) -> list[Accepted | CarillonError]:
        """Commit several, in their order; each succeeds or fails alone, but TryLater is raised for all."""
        asked = map(self.accept, requests)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, NeverWillWork | CallerIsWrong
            ):
                raise outcome
        return [one for one in outcomes if isinstance(one, Accepted | CarillonError)]

    async def _commit(self, requests: Sequence[Request]) -> Sequence[Accepted | CallerIsWrong]:
        began = time.perf_counter()
        outcomes = await self._database.ask(accepted.accept, requests)
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
