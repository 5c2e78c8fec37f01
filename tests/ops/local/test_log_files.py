"""Log files: what is new in them, and what is left of them when they grow too long."""

import re
from pathlib import Path

import pytest

from ops.local.log_files import LOG_LIMIT_BYTES, LogReader, measure_log, read_log_end

pytestmark = pytest.mark.quick


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with one line in it."""
    path = tmp_path / "it.log"
    path.write_text("ERROR before\n")
    return path


def append(log: Path, text: str) -> None:
    """Write at the end of a log, as its process does."""
    with log.open("a") as file:
        file.write(text)


def test_new_lines_are_read_once(log: Path) -> None:
    """Lines that match are given once; lines from before, empty ones and others are not."""
    reader = LogReader(log, re.compile("ERROR"))
    append(log, "ERROR one\n\nall well\n")
    assert reader.read_new() == ["ERROR one"]
    append(log, "ERROR two\n")
    assert reader.read_new() == ["ERROR two"]
    assert reader.read_new() == []


def test_a_log_that_was_emptied_is_read_from_its_beginning(log: Path) -> None:
    """After somebody emptied a log, what is appended to it is new."""
    reader = LogReader(log, re.compile(""))
    log.write_text("")
    assert reader.read_new() == []
    append(log, "again\n")
    assert reader.read_new() == ["again"]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A log that does not exist yet has no lines and no bytes, and its first line is new."""
    log = tmp_path / "none.log"
    reader = LogReader(log, re.compile(""))
    assert reader.read_new() == []
    assert measure_log(log) == 0
    assert read_log_end(log) == "(no log)"
    append(log, "first\n")
    assert reader.read_new() == ["first"]


def test_a_long_log_is_emptied_and_kept_beside(log: Path) -> None:
    """A log over its limit is emptied, not replaced, and what was in it is in the file beside it."""
    reader = LogReader(log, re.compile("ERROR"))
    file_number = log.stat().st_ino
    append(log, "x" * LOG_LIMIT_BYTES)
    reader.read_new()
    reader.rotate()
    assert log.stat().st_ino == file_number
    assert log.read_bytes() == b""
    assert log.with_suffix(".log.1").read_text().startswith("ERROR before\nxxx")
    append(log, "ERROR after\n")
    assert reader.read_new() == ["ERROR after"]
