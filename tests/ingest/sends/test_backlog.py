"""The backlog as the intake sees it between two measures; the record is the test's own."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest.sends.backlog import BacklogMonitor
from storage.model.errors import TransientError
from storage.postgres.sends.backlog import Backlog

pytestmark = pytest.mark.pure


class Record:
    """Stands for `Database`: answers every question with `waiting`, and may be away."""

    def __init__(self) -> None:
        self.waiting = 0
        self.error: Exception | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    async def query(self, _question: Any) -> Backlog:
        """Answer with what is waiting; `meanwhile` happens while PostgreSQL counts."""
        measured = Backlog(waiting=self.waiting, oldest_seconds=0.0, failed=0)
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return measured


def make_monitor(record: Record, *, interval: timedelta = timedelta(days=1)) -> BacklogMonitor:
    """A monitor with room for ten."""
    return BacklogMonitor(record, cap=10, interval=interval)  # type: ignore[arg-type]


def test_sends_accepted_since_the_last_measure_count_against_the_cap() -> None:
    """The intake is full as soon as the last measure and what came since reach the cap."""
    record = Record()
    monitor = make_monitor(record)
    record.waiting = 7
    asyncio.run(monitor.measure())
    monitor.note_accepted(2)
    assert not monitor.is_full
    monitor.note_accepted(1)
    assert monitor.is_full
    record.waiting = 9
    asyncio.run(monitor.measure())
    assert not monitor.is_full


def test_sends_accepted_during_a_measure_stay_added() -> None:
    """They may be missing from the measure, and the cap must not be passed for that."""
    record = Record()
    monitor = make_monitor(record)
    record.waiting = 5
    record.meanwhile = lambda: monitor.note_accepted(5)
    asyncio.run(monitor.measure())
    assert monitor.is_full


def test_the_last_measure_stands_while_the_record_is_away() -> None:
    """A measure that fails changes nothing: a full intake stays full."""
    record = Record()
    monitor = make_monitor(record)
    record.waiting = 10
    asyncio.run(monitor.measure())
    record.error = TransientError("away")
    with pytest.raises(TransientError):
        asyncio.run(monitor.measure())
    assert monitor.is_full


@pytest.mark.parametrize("error", [TransientError("away"), RuntimeError("a bug")])
def test_no_error_ends_the_measuring(error: Exception) -> None:
    """After any error the next measure is made, and every measure is reported."""
    record = Record()
    record.error = error
    reported: list[int] = []
    is_reported_twice = asyncio.Event()

    def report(backlog: Backlog) -> None:
        reported.append(backlog.waiting)
        record.error, record.waiting = None, 3
        if len(reported) == 2:
            is_reported_twice.set()

    async def measure_twice() -> None:
        monitor = make_monitor(record, interval=timedelta(0))
        measuring = asyncio.create_task(monitor.keep_measuring(report))
        await is_reported_twice.wait()
        measuring.cancel()

    asyncio.run(asyncio.wait_for(measure_twice(), 20))
    assert reported[:2] == [0, 3]
