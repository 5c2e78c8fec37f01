"""CSV that a spreadsheet can open: UTF-8 with its mark, and nothing in a cell that would be taken for a formula. Pure.

A name is what somebody typed; in a spreadsheet `=HYPERLINK(…)` would do what they want (OWASP on CSV injection).
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

# Excel takes a file without it for its own code page, and then shows no Chinese.
MARK = "\ufeff"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that is written while it is sent: what a browser calls it, and its parts."""

    name: str
    parts: AsyncIterator[str]


def write_rows(rows: Iterable[Iterable[str]]) -> str:
    """Rows as CSV (RFC 4180). A cell that would begin a formula begins with an apostrophe in front of it."""
    text = io.StringIO()
    csv.writer(text).writerows([[_guard(cell) for cell in row] for row in rows])
    return text.getvalue()


def _guard(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell
