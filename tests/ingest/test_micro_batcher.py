"""Gathering, with work that the test holds in its hand."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ingest.micro_batcher import MicroBatcher
from storage.model.errors import CarillonError, NotFound, TransientError

pytestmark = pytest.mark.pure

LONG = timedelta(seconds=30)


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run one test's coroutine to its end."""
    asyncio.run(asyncio.wait_for(test, 20))


class Work:
    """Answers n with 10n when it is let; remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Semaphore(0)
        self.raises: dict[int, Exception] = {}

    async def __call__(self, items: Sequence[int]) -> list[int]:
        """One batch."""
        self.batches.append(list(items))
        await self.gate.acquire()
        for item in items:
            if item in self.raises:
                raise self.raises[item]
        return [10 * item for item in items]


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_comes_while_a_batch_is_under_way_is_the_next_batch() -> None:
    """Items that come while a batch is under way make up the next, in their order and at most `size` of them."""

    async def test() -> None:
        work = Work()
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=3, patience=LONG)
        first = [batches.submit(1)]
        await settle()
        rest = [batches.submit(item) for item in (2, 3, 4, 5)]
        await settle()
        assert work.batches == [[1]]
        for _ in range(3):
            work.gate.release()
        assert await asyncio.gather(*first, *rest) == [10, 20, 30, 40, 50]
        assert work.batches == [[1], [2, 3, 4], [5]]

    run(test())


def test_what_is_asked_in_one_turn_is_one_batch() -> None:
    """Items that are submitted to an idle batcher in one turn of the loop are one batch, without a delay."""

    async def test() -> None:
        work = Work()
        work.gate.release()
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=100, patience=LONG)
        assert await asyncio.gather(*map(batches.submit, range(50))) == list(range(0, 500, 10))
        assert len(work.batches) == 1

    run(test())


def test_one_bad_item_fails_alone() -> None:
    """A batch that fails is tried in halves until the bad item fails alone."""

    async def test() -> None:
        work = Work()
        work.raises[2] = ValueError("two")
        for _ in range(5):
            work.gate.release()
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=10, patience=LONG)
        answers = await asyncio.gather(*map(batches.submit, (1, 2, 3)), return_exceptions=True)
        assert answers[0] == 10
        assert answers[2] == 30
        assert isinstance(answers[1], ValueError)
        assert work.batches == [[1, 2, 3], [1], [2, 3], [2], [3]]

    run(test())


def test_who_gave_up_is_not_asked_for_again_in_a_half() -> None:
    """When a batch that failed is tried in halves, items that nobody waits for any more are left out."""

    async def test() -> None:
        work = Work()
        work.raises[2] = ValueError("two")
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=10, patience=LONG)
        one, two, three = map(batches.submit, (1, 2, 3))
        await settle()
        three.cancel()
        for _ in range(4):
            work.gate.release()
        assert await one == 10
        with pytest.raises(ValueError, match="two"):
            await two
        assert work.batches == [[1, 2, 3], [1], [2]]

    run(test())


def test_an_error_among_the_answers_is_its_items_alone() -> None:
    """An error among the results is raised for its item alone, and the batch is not tried again."""

    async def test() -> None:
        batches: list[Sequence[int]] = []

        async def work(items: Sequence[int]) -> list[int | CarillonError]:
            batches.append(items)
            return [NotFound("No two.") if item == 2 else item for item in items]

        asked: MicroBatcher[int, int] = MicroBatcher(work, size=3, patience=LONG)
        one, two, three = (asked.submit(item) for item in (1, 2, 3))
        assert (await one, await three) == (1, 3)
        with pytest.raises(NotFound):
            await two
        assert batches == [[1, 2, 3]]

    run(test())


def test_try_later_is_for_all_of_the_batch_and_not_tried_again() -> None:
    """A TransientError fails every item of its batch, which is not tried again: a database that is away stays away."""

    async def test() -> None:
        work = Work()
        work.raises[2] = TransientError("away")
        work.gate.release()
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=10, patience=LONG)
        answers = await asyncio.gather(*map(batches.submit, (1, 2, 3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [TransientError] * 3
        assert len(work.batches) == 1
        work.raises.clear()
        work.gate.release()
        assert await batches.submit(4) == 40

    run(test())


def test_nobody_waits_longer_than_their_patience() -> None:
    """Items fail after their patience, in a batch that hangs and behind it, and those behind it are never worked on."""

    async def test() -> None:
        work = Work()
        batches: MicroBatcher[int, int] = MicroBatcher(
            work, size=1, patience=timedelta(milliseconds=80)
        )
        began = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*map(batches.submit, (1, 2)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [TransientError] * 2
        assert asyncio.get_running_loop().time() - began < 1
        work.gate.release()
        work.gate.release()
        assert await batches.submit(3) == 30
        assert work.batches == [[1], [3]]

    run(test())


def test_a_caller_that_went_away_is_not_asked_for() -> None:
    """An item that is cancelled before its batch has begun is left out of it."""

    async def test() -> None:
        work = Work()
        batches: MicroBatcher[int, int] = MicroBatcher(work, size=10, patience=LONG)
        first = batches.submit(1)
        await settle()
        batches.submit(2).cancel()
        third = batches.submit(3)
        work.gate.release()
        work.gate.release()
        assert list(await asyncio.gather(first, third)) == [10, 30]
        assert work.batches == [[1], [3]]

    run(test())


def test_too_many_waiting_are_refused_at_once() -> None:
    """When as many items wait as may, another is refused at once: a database that hangs does not fill the memory."""

    async def test() -> None:
        batches: MicroBatcher[int, int] = MicroBatcher(Work(), size=1, patience=LONG, waiting_cap=2)
        batches.submit(1)
        await settle()
        waiting = [batches.submit(2), batches.submit(3)]
        with pytest.raises(TransientError):
            batches.submit(4)
        assert len(waiting) == 2

    run(test())
