"""A CSV file as rows of named columns, with the row number in every complaint.

Called by the import commands, which know what a column means. Here it is checked that the file has the right encoding
and columns and that no field holds a control character, and what spreadsheets do to numbers is undone.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

import click

from storage.model.errors import CallerError

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What spreadsheets write between fields, by country; the header tells which.
_DELIMITERS = ",;\t"
# What spreadsheets make of a long number: 13800138000 becomes 1.38001E+10, and its digits are lost. `1E5` may be
# somebody's account.
_SHORTENED = re.compile(
    r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?E\+[0-9]+|[0-9]+[.,][0-9]+E[0-9]+)", re.IGNORECASE | re.ASCII
)
# A number that was marked as text: '138… or ="138…"; and one that was given a decimal: 138….0
_MARKED = re.compile(r"(?:'|=\")(\+?[0-9][0-9 -]*)\"?", re.ASCII)
_WITH_DECIMALS = re.compile(r"([0-9]+)\.0{1,2}", re.ASCII)


class BadRow(CallerError):
    """Row `number` cannot be imported. Rows are numbered as a spreadsheet does: the header is row 1."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Row {number}: {problem}. Nothing was imported.")


def read_rows(
    path: Path, columns: Sequence[str], *, encoding: str, advance: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of every row below the header, and its values of `columns` without spaces around them.

    Columns may come in any order and among others, with commas, semicolons or tabs between them; rows
    without a value are skipped. `advance` is told how many bytes were read. Raises BadRow, or
    CallerError for what is wrong with the whole file.
    """
    try:
        with path.open("rb") as file:
            yield from _parse(_read_lines(file, encoding=encoding, advance=advance), columns)
    except OSError as error:
        raise CallerError(f"{path} cannot be read: {error.strerror}.") from error


def _parse(lines: Iterator[str], columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    try:
        yield from _read_below_header(reader, columns)
    except csv.Error as error:
        raise BadRow(reader.line_num, f"is not CSV ({error})") from error


def _read_lines(
    file: Iterable[bytes], *, encoding: str, advance: Callable[[int], None]
) -> Iterator[str]:
    """The lines as text. They are decoded one by one, so that a line that is not in the encoding can be named."""
    for number, line in enumerate(file, start=1):
        advance(len(line))
        if number == 1 and line.startswith(_UTF_16):
            raise CallerError("The file is UTF-16; save it as “CSV UTF-8”.")
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            hint = "save it as UTF-8, or name its --encoding (gb18030 for Excel in Chinese)"
            raise BadRow(number, f"is not {encoding}; {hint}") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def _read_below_header(
    reader: Iterator[list[str]], columns: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    header = [name.strip().lower() for name in next(reader, [])]
    chosen = itemgetter(*_find_columns(header, columns))
    for number, fields in enumerate(reader, start=2):
        # A spreadsheet writes a row for every one that was ever touched: commas alone, or spaces.
        if not any(map(str.strip, fields)):
            continue
        if len(fields) != len(header):
            raise BadRow(number, f"has {len(fields)} fields, the header {len(header)}")
        values = [value.strip() for value in chosen(fields)]
        if _CONTROL.search("".join(values)):
            raise BadRow(number, "has a line break, a tab or another control character in a field")
        yield number, values


def _find_columns(header: list[str], columns: Sequence[str]) -> list[int]:
    for name in columns:
        if header.count(name) != 1:
            problem = "more than one column" if name in header else "no column"
            needed = ", ".join(columns)
            raise CallerError(
                f"The file has {problem} “{name}” in its first row; needed are {needed}."
            )
    return [header.index(name) for name in columns]


def parse_digits(text: str, *, number: int, column: str) -> str:
    """The digits of a field, without what a spreadsheet added to them; nothing is guessed.

    `'138…`, `="138…"` and `138….0` are read as the number. Raises BadRow for `1.38E+10`, whose digits are
    lost. Any other text is returned as it is.
    """
    if _SHORTENED.fullmatch(text):
        raise BadRow(
            number,
            f"the {column} “{text[:40]}” was shortened by a spreadsheet, and its digits are lost; "
            "format that column as text (or as a number without decimals), and save the file again",
        )
    for mark in (_MARKED, _WITH_DECIMALS):
        if match := mark.fullmatch(text):
            text = match[1].strip()
    return text


def parse_user_id(text: str, *, number: int, largest: int, column: str = "id") -> int:
    """The platform user id in a field, from 1 to `largest`; raises BadRow if the text is none."""
    plain = parse_digits(text, number=number, column=column)
    # Zeros in front are no part of the number, nor of how long it may be.
    significant = plain.lstrip("0") if plain.isascii() and plain.isdigit() else ""
    if not (0 < len(significant) <= len(str(largest)) and int(significant) <= largest):
        raise BadRow(number, f"“{text[:40]}” is not a user id (a whole number from 1 to {largest})")
    return int(significant)


_EVERY_ASCII = "".join(map(chr, range(128)))


def check_encoding(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A click callback: `name`, if it is an encoding in which Python can read a CSV file line by line.

    Raises click.BadParameter for any other.
    """
    try:
        encoded = _EVERY_ASCII.encode(name)
    # UnicodeError of `undefined` and `idna`, ValueError of a NUL in the name.
    except (LookupError, ValueError):
        raise click.BadParameter(f"{name!r} is not a text encoding that is known.") from None
    if encoded.removeprefix(codecs.BOM_UTF8) != _EVERY_ASCII.encode():
        raise click.BadParameter(f"{name} is not read; save the file as UTF-8 (“CSV UTF-8”).")
    return name
