"""Batches that gather by themselves: what is submitted while one batch is under way makes up the next.

There is no timer, and no added delay when idle: a batch starts with the next turn of the event loop. Used by the
intake (group commit: docs/decisions/0005-group-commit.md) and by the look-ups. Knows nothing of what the items are.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from storage.model.error_codes import ErrorCode
from storage.model.errors import CarillonError, TransientError

Item = TypeVar("Item")
Result = TypeVar("Result")

# How often items that waited too long are looked for while a batch is under way.
_CHECK_SECONDS = 0.025


@dataclass(slots=True)
class _Submission(Generic[Item, Result]):
    item: Item
    result: "asyncio.Future[Result]"
    submitted_at: float


class MicroBatcher(Generic[Item, Result]):
    """Hands items to `work` in batches of at most `size`, one batch at a time, in the order in which they came.

    `work` returns one result for each item, in their order; a CarillonError among the results is raised for its item
    alone. If `work` raises TransientError, so does every item of the batch. If it raises anything else, the batch is
    tried again in halves, so that one bad item fails alone: `work` must be safe to repeat after an error. An item that
    has waited for `patience` fails with TransientError, although its work may still be done if it had begun.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | CarillonError]]],
        *,
        size: int,
        patience: timedelta,
        waiting_cap: int = 20_000,
        sentence: str = "This cannot be answered in time now.",
        code: ErrorCode = ErrorCode.UNAVAILABLE,
        tell_wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """Make it in the event loop in which it works.

        `waiting_cap`: how many items may wait, more are refused; `sentence` and `code`: those of a
        TransientError.
        `tell_wait` is called with how long the oldest item of each batch waited for it, in seconds.
        """
        # Kept: Python 3.11 asks the kernel for the process's id each time it is asked for the running loop.
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._size = size
        self._patience = patience.total_seconds()
        self._waiting_cap = waiting_cap
        self._sentence = sentence
        self._code = code
        self._tell_wait = tell_wait
        self._waiting: deque[_Submission[Item, Result]] = deque()
        self._under_way: list[_Submission[Item, Result]] = []
        self._runner: asyncio.Task[None] | None = None
        self._check: asyncio.TimerHandle | None = None

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """A future of the item's result. If it is cancelled before the item's batch has begun, the item is left out.

        Raises TransientError when as many items wait as may.
        """
        loop = self._loop
        if len(self._waiting) >= self._waiting_cap:
            raise TransientError(self._sentence, code=self._code)
        result: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Submission(item, result, loop.time()))
        if self._runner is None:
            self._runner = loop.create_task(self._run())
        return result

    async def _run(self) -> None:
        self._schedule_check()
        try:
            while self._waiting:
                self._under_way = self._take_batch()
                if self._under_way:
                    self._tell_wait(self._loop.time() - self._under_way[0].submitted_at)
                    await self._process(self._under_way)
                self._under_way = []
        finally:
            self._runner = None
            if self._check is not None:
                self._check.cancel()

    def _take_batch(self) -> list[_Submission[Item, Result]]:
        batch: list[_Submission[Item, Result]] = []
        while self._waiting and len(batch) < self._size:
            submission = self._waiting.popleft()
            if not submission.result.done():
                batch.append(submission)
        return batch

    async def _process(self, batch: Sequence[_Submission[Item, Result]]) -> None:
        outcome = await self._do_work(batch)
        if not isinstance(outcome, BaseException):
            for submission, result in zip(batch, outcome, strict=True):
                if submission.result.done():
                    continue
                if isinstance(result, CarillonError):
                    submission.result.set_exception(result)
                else:
                    submission.result.set_result(result)
        elif len(batch) == 1 or isinstance(outcome, TransientError | asyncio.CancelledError):
            self._fail(batch, outcome)
        else:
            # Halves and not one by one: one bad item in 500 costs 18 more batches, not 500.
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                # Items that were cancelled or overdue meanwhile are left out.
                if waiting := [submission for submission in half if not submission.result.done()]:
                    await self._process(waiting)

    async def _do_work(
        self, batch: Sequence[_Submission[Item, Result]]
    ) -> Sequence[Result | CarillonError] | BaseException:
        # Awaited and not made a task (or gathered): the work would begin only after the answers of the
        # batch before it have been written (docs/decisions/0005-group-commit.md).
        try:
            return await self._work([submission.item for submission in batch])
        except Exception as error:  # noqa: BLE001 (of any kind: it is raised for every item)
            return error
        except asyncio.CancelledError as error:
            runner = asyncio.current_task()
            if runner is None or runner.cancelling():
                raise
            return error  # the work cancelled itself, and this batch alone

    def _fail(self, batch: Sequence[_Submission[Item, Result]], error: BaseException) -> None:
        for submission in batch:
            if not submission.result.done():
                submission.result.set_exception(error)

    def _schedule_check(self) -> None:
        self._check = self._loop.call_later(_CHECK_SECONDS, self._fail_overdue)

    def _fail_overdue(self) -> None:
        deadline = self._loop.time() - self._patience
        late: list[_Submission[Item, Any]] = [
            submission
            for submission in (*self._under_way, *self._waiting)
            if submission.submitted_at < deadline
        ]
        self._fail(late, TransientError(self._sentence, code=self._code))
        self._schedule_check()
