"""Runs rows of the matrix: a line of figures for each, a table of all at the end."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.environment import FaultEnvironment, Findings, start_environment
from tests.faults.rows import ROWS, Row


@dataclass(frozen=True, slots=True)
class Result:
    """One row under one seed."""

    row: Row
    seed: int
    figures: dict[str, Any]
    failures: tuple[str, ...]
    seconds: float

    @property
    def line(self) -> str:
        """Row, seed, verdict and figures on one line."""
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        verdict = "; ".join(self.failures) or "ok"
        return (
            f"{self.row.number:>2} {self.row.title} (seed {self.seed}, {self.seconds:.0f} s): "
            f"{verdict} | {figures}"
        )


def run_row(row: Row, on: FaultEnvironment) -> Result:
    """Run one row; a claim that fails, or a row that cannot go on, is a failure of the row."""
    began = time.monotonic()
    try:
        found = row.run(on)
    except AssertionError as error:
        found = Findings(failures=[f"cannot go on: {error}"])
    try:
        mend(on)
    except AssertionError as error:
        found.failures.append(f"not mended: {error}")
    seconds = time.monotonic() - began
    return Result(row, on.seed, found.figures, tuple(found.failures), seconds)


def mend(on: FaultEnvironment) -> None:
    """Start again what a row left dead or frozen, and wait until it can take work."""
    for name in (*on.stack.servers, *on.stack.processes):
        on.stack[name].thaw()
    on.stack.start()


def run_all(rows: Sequence[Row], *, seeds: Iterable[int], is_short: bool) -> Iterator[Result]:
    """Every row under every seed; rows without settings of their own share a stack."""
    for seed in seeds:
        plain = [row for row in rows if not row.settings]
        if plain:
            with start_environment(seed=seed, is_short=is_short) as shared:
                for row in plain:
                    yield run_row(row, shared)
        for row in rows:
            if row.settings:
                settings = {**row.settings, **(row.short_settings if is_short else {})}
                with start_environment(seed=seed, is_short=is_short, **settings) as own:
                    yield run_row(row, own)


def choose_rows(numbers: Sequence[int]) -> list[Row]:
    """The rows of these numbers, in the order asked for; all of them if none is named."""
    by_number = {row.number: row for row in ROWS}
    return [by_number[number] for number in numbers] if numbers else list(ROWS)


def print_summary(results: Sequence[Result]) -> None:
    """Print a table with one line for each row, over all its seeds."""
    table = Table(title="The fault matrix")
    for heading in ("row", "fault", "seeds", "accepted", "seconds", "verdict"):
        table.add_column(heading)
    for row in dict.fromkeys(result.row.number for result in results):
        several = [result for result in results if result.row.number == row]
        failures = [failure for result in several for failure in result.failures]
        table.add_row(
            str(row),
            several[0].row.title,
            str(len(several)),
            str(sum(result.figures.get("accepted", 0) for result in several)),
            f"{sum(result.seconds for result in several):.0f}",
            "; ".join(dict.fromkeys(failures)) or "ok",
        )
    Console(width=140).print(table)
