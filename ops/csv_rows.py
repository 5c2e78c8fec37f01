"""A CSV file as rows of named columns, with the row number in every complaint.

Called by the import commands. What a column means is theirs; that a file is UTF-8, has the columns,
and that no field holds a control character is seen to here.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import click

from storage.model.errors import CallerIsWrong

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class BadRow(CallerIsWrong):
    """Row `number` cannot be imported. Rows are numbered as a spreadsheet does: the header is row 1."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Row {number}: {problem}. Nothing was imported.")


def rows(
    path: Path, columns: Sequence[str], *, encoding: str, advance: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    """The number and the values of `columns`, without spaces around them, of every row below the header.

    Columns may come in any order and among others; empty rows are skipped. `advance` is told how many
    bytes were read. Raises BadRow, or CallerIsWrong for what is wrong with the whole file.
    """
    try:
        with path.open("rb") as file:
            yield from _parsed(_lines(file, encoding=encoding, advance=advance), columns)
    except OSError as error:
        raise CallerIsWrong(f"{path} cannot be read: {error.strerror}.") from error


def _parsed(lines: Iterator[str], columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines)
    try:
        yield from _below_header(reader, columns)
    except csv.Error as error:
        raise BadRow(reader.line_num, f"is not CSV ({error})") from error


def _lines(
    file: Iterable[bytes], *, encoding: str, advance: Callable[[int], None]
) -> Iterator[str]:
    """The lines in the encoding, one by one, so that the one that is not can be named."""
    for number, line in enumerate(file, start=1):
        advance(len(line))
        if number == 1 and line.startswith(_UTF_16):
            raise CallerIsWrong("The file is UTF-16; save it as “CSV UTF-8”.")
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            hint = "save it as UTF-8, or name its --encoding (gb18030 for Excel in Chinese)"
            raise BadRow(number, f"is not {encoding}; {hint}") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def _below_header(
    reader: Iterator[list[str]], columns: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    header = [name.strip().lower() for name in next(reader, [])]
    chosen = itemgetter(*_places(header, columns))
    for number, fields in enumerate(reader, start=2):
        if not fields:
            continue
        if len(fields) != len(header):
            raise BadRow(number, f"has {len(fields)} fields, the header {len(header)}")
        values = [value.strip() for value in chosen(fields)]
        if _CONTROL.search("".join(values)):
            raise BadRow(number, "has a line break, a tab or another control character in a field")
        yield number, values


def _places(header: list[str], columns: Sequence[str]) -> list[int]:
    for name in columns:
        if header.count(name) != 1:
            problem = "more than one column" if name in header else "no column"
            needed = ", ".join(columns)
            raise CallerIsWrong(
                f"The file has {problem} “{name}” in its first row; needed are {needed}."
            )
    return [header.index(name) for name in columns]


def user_id(text: str, *, number: int, largest: int) -> int:
    """The platform user id in a field; BadRow if it is none. Ids are below 2^53 (contract §0)."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:17]) <= largest):
        raise BadRow(number, f"“{text[:40]}” is not a user id (a whole number from 1 to {largest})")
    return int(text)


def known_encoding(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """An `--encoding` that Python has."""
    try:
        "".encode(name)
    except LookupError:
        raise click.BadParameter(f"{name} is not an encoding that is known.") from None
    return name
