"""Idempotency keys that were used before: the first answers of single sends and of batches (contract §2).

Called when a request is refused, and by batches. A key itself is written by `intake`, with its send.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from ingest.micro_batcher import MicroBatcher
from ingest.sends.intake import SLOW
from ingest.settings import IngestSettings
from storage.model.error_codes import ErrorCode
from storage.model.errors import CarillonError
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.database import Database
from storage.postgres.sends import batch_keys, idempotency
from storage.postgres.sends.batch_keys import FirstAnswers


class IdempotencyKeys:
    """Finds what requests with a key were answered the first time."""

    def __init__(self, database: Database, *, settings: IngestSettings) -> None:
        self._database = database
        # Gathered: a caller that is over a limit may go on asking, with a key each time.
        self._first_answers: MicroBatcher[IdempotencyKey, Accepted | None] = MicroBatcher(
            self._find_first_answers,
            size=settings.intake_batch,
            patience=settings.intake_patience,
        )
        # One after the other: each binds hundreds of keys, and is not to take many connections at once.
        self._bindings: MicroBatcher[tuple[IdempotencyKey, int], FirstAnswers] = MicroBatcher(
            self._bind_batches,
            size=1,
            patience=settings.intake_patience,
            sentence=SLOW,
            code=ErrorCode.NOT_CONFIRMED,
        )

    async def find_first_answer(self, key: IdempotencyKey) -> Accepted | None:
        """The first answer to a key, for a request that would be refused today; None if the key is new.

        Raises Invalid for a key of another body, or TransientError.
        """
        return await self._first_answers.submit(key)

    def bind_batch(self, key: IdempotencyKey, *, size: int) -> Awaitable[FirstAnswers]:
        """Bind a batch's key to its body, and find what its `size` entries were answered before.

        Awaiting it raises Invalid for a key of another body, or TransientError. Safe to repeat.
        """
        return self._bindings.submit((key, size))

    async def record_refusals(self, key: IdempotencyKey, refused: Mapping[int, Any]) -> None:
        """Keep the answers to entries of a batch that were refused, by place. Raises TransientError."""
        await self._database.query(batch_keys.record_refused, key, refused)

    async def _find_first_answers(
        self, keys: Sequence[IdempotencyKey]
    ) -> Sequence[Accepted | CarillonError | None]:
        return await self._database.query(idempotency.find_first_answers, keys)

    async def _bind_batches(
        self, batches: Sequence[tuple[IdempotencyKey, int]]
    ) -> list[FirstAnswers | CarillonError]:
        return [
            await self._database.query(batch_keys.bind_batch, key, size=size)
            for key, size in batches
        ]
