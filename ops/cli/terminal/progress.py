"""Progress bars on stderr, so that stdout stays what was asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ops.cli.terminal.printing import make_console, make_plain

# The bar is drawn a few times a second anyway, and telling it of every row costs time.
_TOLD_EVERY = 256 * 1024


@contextmanager
def file_bar(
    path: Path, what: str
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """Show a bar over the bytes of `path` in this block.

    Gives two functions: one moves the bar on by so many bytes, the other ends it and names what is done next.
    """
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

        yield advance, lambda then: _begin_next_step(bar, task, then)


def _begin_next_step(bar: Progress, task: TaskID, then: str) -> None:
    """Add a bar without an end below the finished one: nobody knows how long the next step takes."""
    bar.update(task, completed=bar.tasks[0].total)
    bar.add_task(then, total=None)


@contextmanager
def byte_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar for each step of something long in this block.

    Gives a function that is called with the step's name, how many bytes are done, and of how many (None: unknown).
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
    )
    with Progress(*columns, TimeElapsedColumn(), console=make_console(err=True)) as bar:
        steps: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int | None) -> None:
            if step not in steps:
                steps[step] = bar.add_task(step, total=total)
            bar.update(steps[step], completed=done)

        yield show
        for task in steps.values():
            bar.update(task, total=bar.tasks[task].completed)


@contextmanager
def count_bar(what: str) -> Iterator[Callable[[str, int, int, float | None], None]]:
    """Show a bar in this block over things that are counted elsewhere.

    Gives a function that is called with a description, how many are done, of how many (0: unknown), and a rate a second.
    """
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
    """Passes things on, once, and counts them in `number`; `then` is called after the last."""

    def __init__(self, things: Iterable[Item], *, then: Callable[[], None]) -> None:
        self.number = 0
        self._things = things
        self._then = then

    def __iter__(self) -> Iterator[Item]:
        for one in self._things:
            self.number += 1
            yield one
        self._then()
