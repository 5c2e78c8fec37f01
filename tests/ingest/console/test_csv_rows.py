"""Cells of a CSV are texts for a spreadsheet, whatever people are called."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.console.csv_rows import write_rows

pytestmark = pytest.mark.pure


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(cells, cells), min_size=1))
def test_cells_come_back_as_texts(rows: list[tuple[str, str]]) -> None:
    """Every cell is read back as it was, but for an apostrophe before what would be taken for a formula."""
    read = [tuple(row) for row in csv.reader(io.StringIO(write_rows(rows), newline=""))]
    assert len(read) == len(rows)
    for given_row, read_row in zip(rows, read, strict=True):
        for cell, found in zip(given_row, read_row, strict=True):
            assert found in {cell, f"'{cell}"}
            assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))
