"""Waiting for deliveries: one question for all who wait; the record is the test's own."""

import asyncio
from collections.abc import Collection, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from ingest.sends.delivery_wait import DeliveryWaiter
from storage.model.errors import TransientError
from storage.postgres.broadcasts import reports
from storage.postgres.messages import lookup
from storage.postgres.sends import backlog

pytestmark = pytest.mark.pure

LONG = timedelta(seconds=20)


class Record:
    """Stands for `Database`: which messages are accepted, and which are in the histories."""

    def __init__(self) -> None:
        self.accepted: set[int] = set()
        self.persisted: set[int] = set()
        self.ended_broadcasts: dict[int, bool] = {}
        self.asked: list[set[int]] = []
        self.failures = 0

    async def query(self, question: Any, ids: Collection[int]) -> Any:
        """Answer one of the three questions that are asked."""
        if self.failures:
            self.failures -= 1
            raise TransientError("away")
        self.asked.append(set(ids))
        if question is backlog.find_waiting:
            return self.accepted & set(ids)
        if question is lookup.find_persisted:
            return self.persisted & set(ids)
        assert question is reports.find_ended
        return {id: done for id, done in self.ended_broadcasts.items() if id in ids}


def make_waiter(record: Record) -> DeliveryWaiter:
    """A waiter over this record."""
    return DeliveryWaiter(record)  # type: ignore[arg-type]


def run(test: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, which must come soon."""
    return asyncio.run(asyncio.wait_for(test, 20))


def test_a_message_in_the_histories_is_delivered_and_one_that_left_is_not() -> None:
    """A message that is neither accepted nor in a history has failed or was taken back: False at once."""
    record = Record()
    record.persisted = {1}

    async def wait() -> list[bool]:
        waiter = make_waiter(record)
        return await asyncio.gather(
            *(waiter.wait_until_delivered(id, is_broadcast=False, within=LONG) for id in (1, 2))
        )

    assert run(wait()) == [True, False]


def test_a_broadcast_is_delivered_when_all_have_it() -> None:
    """A broadcast that ended before everyone had it (cancelled, recalled) was not delivered."""
    record = Record()
    record.ended_broadcasts = {1: True, 2: False}

    async def wait() -> list[bool]:
        waiter = make_waiter(record)
        return await asyncio.gather(
            *(waiter.wait_until_delivered(id, is_broadcast=True, within=LONG) for id in (1, 2))
        )

    assert run(wait()) == [True, False]


def test_all_who_wait_are_one_question() -> None:
    """A hundred waits, two for each message, are asked about together."""
    record = Record()
    record.persisted = set(range(50))

    async def wait() -> None:
        waiter = make_waiter(record)
        waits = [
            waiter.wait_until_delivered(id % 50, is_broadcast=False, within=LONG)
            for id in range(100)
        ]
        assert all(await asyncio.gather(*waits))

    run(wait())
    assert record.asked == [set(range(50))] * 2


def test_a_wait_ends_in_time_and_nothing_is_asked_for_it_any_more() -> None:
    """A message that is still accepted after the time is False, and the asking ends with the last wait."""
    record = Record()
    record.accepted = {1}

    async def wait() -> None:
        waiter = make_waiter(record)
        soon = timedelta(seconds=0.1)
        assert not await waiter.wait_until_delivered(1, is_broadcast=False, within=soon)
        asked = len(record.asked)
        if waiter._polling is not None:
            await waiter._polling
        assert len(record.asked) == asked

    run(wait())


def test_a_wait_goes_on_while_the_record_is_away() -> None:
    """Questions that fail are asked again."""
    record = Record()
    record.persisted, record.failures = {1}, 3

    async def wait() -> bool:
        return await make_waiter(record).wait_until_delivered(1, is_broadcast=False, within=LONG)

    assert run(wait())
