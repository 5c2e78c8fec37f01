"""Progress bars on stderr, so that stdout stays what was asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ops.cli.terminal.printing import make_console, make_plain

# A bar that is told of every row draws a few times a second all the same; telling it of each costs time.
_TOLD_EVERY = 256 * 1024


@contextmanager
def file_bar(
    path: Path, what: str
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """A bar over the bytes of `path`: functions that move it on, and that say what is done after."""
    total = path.stat().st_size if path.exists() else None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
    )
    with Progress(*columns, TimeElapsedColumn(), console=make_console(err=True)) as bar:
        task = bar.add_task(what, total=total)
        untold = 0

        def advance(count: int) -> None:
            nonlocal untold
            untold += count
            if untold >= _TOLD_EVERY:
                bar.advance(task, untold)
                untold = 0

        yield advance, lambda then: _next(bar, task, then)


def _next(bar: Progress, task: TaskID, then: str) -> None:
    """Below the finished bar one that moves without an end: nobody knows how long it takes."""
    bar.update(task, completed=bar.tasks[0].total)
    bar.add_task(then, total=None)


@contextmanager
def count_bar(what: str) -> Iterator[Callable[[str, int, int, float | None], None]]:
    """A bar over things that are counted elsewhere: called with what, how many, of how many, rate."""
    rate_column = TextColumn("{task.fields[rate]}", markup=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        rate_column,
    )
    with Progress(*columns, TimeRemainingColumn(), console=make_console(err=True)) as bar:
        task = bar.add_task(what, total=None, rate="")

        def show(what: str, done: int, total: int, rate: float | None) -> None:
            told = "" if rate is None else f"{rate:,.0f}/s"
            bar.update(
                task, description=make_plain(what), completed=done, total=total or None, rate=told
            )

        yield show


Item = TypeVar("Item")


class CountedItems(Generic[Item]):
    """Things, counted as they pass, once; `then` is called behind the last."""

    def __init__(self, things: Iterable[Item], *, then: Callable[[], None]) -> None:
        self.number = 0
        self._things = things
        self._then = then

    def __iter__(self) -> Iterator[Item]:
        for one in self._things:
            self.number += 1
            yield one
        self._then()
