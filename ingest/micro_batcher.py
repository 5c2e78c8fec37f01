"""Gathering: what is asked while one batch is under way is asked together in the next.

No timer and no added delay when idle: a batch starts with the next turn of the event loop. Used by the
intake (group commit: docs/decisions/0005-group-commit.md) and by the look-ups. Knows nothing of what is asked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from storage.model.errors import CarillonError, TransientError

Item = TypeVar("Item")
Result = TypeVar("Result")

# How often those who waited too long are looked for while a batch is under way.
_CHECK_SECONDS = 0.025


@dataclass(slots=True)
class _Asked(Generic[Item, Result]):
    item: Item
    answer: "asyncio.Future[Result]"
    since: float


class MicroBatcher(Generic[Item, Result]):
    """Answers items in batches of at most `size`, one batch at a time, in the order they came.

    `work` answers a batch, item for item; an exception among the answers is raised for its item alone. If
    it raises TransientError, so does every item of the batch; anything else, and the batch is tried in halves, so
    that one bad item fails alone. Nobody waits longer than `patience`: TransientError then, although the work may
    still happen if it had begun.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | CarillonError]]],
        *,
        size: int,
        patience: timedelta,
        waiting_cap: int = 20_000,
        sentence: str = "This cannot be answered in time now.",
        tell_wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """`tell_wait` is told how long the oldest item of each batch waited for it, in seconds."""
        self._work = work
        self._size = size
        self._patience = patience.total_seconds()
        self._waiting_cap = waiting_cap
        self._sentence = sentence
        self._tell_wait = tell_wait
        self._waiting: deque[_Asked[Item, Result]] = deque()
        self._under_way: list[_Asked[Item, Result]] = []
        self._runner: asyncio.Task[None] | None = None
        self._check: asyncio.TimerHandle | None = None

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """The answer to be; cancel it, and an item whose batch has not begun is never asked."""
        loop = asyncio.get_running_loop()
        if len(self._waiting) >= self._waiting_cap:
            raise TransientError(self._sentence)
        answer: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Asked(item, answer, loop.time()))
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return answer

    async def _run(self) -> None:
        self._check_later()
        try:
            while self._waiting:
                self._under_way = self._next()
                if self._under_way:
                    self._tell_wait(asyncio.get_running_loop().time() - self._under_way[0].since)
                    await self._answer(self._under_way)
                self._under_way = []
        finally:
            self._runner = None
            if self._check is not None:
                self._check.cancel()

    def _next(self) -> list[_Asked[Item, Result]]:
        batch: list[_Asked[Item, Result]] = []
        while self._waiting and len(batch) < self._size:
            asked = self._waiting.popleft()
            if not asked.answer.done():
                batch.append(asked)
        return batch

    async def _answer(self, batch: Sequence[_Asked[Item, Result]]) -> None:
        outcome = await self._outcome(batch)
        if not isinstance(outcome, BaseException):
            for asked, result in zip(batch, outcome, strict=True):
                if asked.answer.done():
                    continue
                if isinstance(result, CarillonError):
                    asked.answer.set_exception(result)
                else:
                    asked.answer.set_result(result)
        elif len(batch) == 1 or isinstance(outcome, TransientError | asyncio.CancelledError):
            self._fail(batch, outcome)
        else:
            # Halves and not one by one: one bad item in 500 costs 18 more batches, not 500.
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                # Those who gave up meanwhile are not asked for.
                if waiting := [asked for asked in half if not asked.answer.done()]:
                    await self._answer(waiting)

    async def _outcome(
        self, batch: Sequence[_Asked[Item, Result]]
    ) -> Sequence[Result | CarillonError] | BaseException:
        # Awaited and not made a task (or gathered): the work would begin only after the answers of the
        # batch before it have been written (docs/decisions/0005-group-commit.md).
        try:
            return await self._work([asked.item for asked in batch])
        except Exception as error:  # noqa: BLE001 (of whatever kind: it is every item's answer)
            return error
        except asyncio.CancelledError as error:
            runner = asyncio.current_task()
            if runner is None or runner.cancelling():
                raise
            return error  # the work's own

    def _fail(self, batch: Sequence[_Asked[Item, Result]], error: BaseException) -> None:
        for asked in batch:
            if not asked.answer.done():
                asked.answer.set_exception(error)

    def _check_later(self) -> None:
        self._check = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._give_up)

    def _give_up(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._patience
        late: list[_Asked[Item, Any]] = [
            asked for asked in (*self._under_way, *self._waiting) if asked.since < oldest
        ]
        self._fail(late, TransientError(self._sentence))
        self._check_later()
