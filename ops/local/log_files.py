"""Log files of processes that append to them: what is new in one, how it ends, and how it is kept from growing.

Used by the supervisor and the embedded servers. Nothing here knows what a log is about.
"""

import os
import re
import shutil
from pathlib import Path

LOG_LIMIT_BYTES = 20_000_000
LOG_END_BYTES = 1_000_000


class LogReader:
    """Reads what is appended to `log` from now on, line by line, and keeps only lines that match `pattern`."""

    def __init__(self, log: Path, pattern: re.Pattern[str]) -> None:
        """The file need not exist yet. What is in it already is not read."""
        self._log = log
        self._pattern = pattern
        self._position = measure_log(log)

    def read_new(self) -> list[str]:
        """The matching lines since the last call, without empty ones; none if the file is gone. Raises OSError."""
        size = measure_log(self._log)
        text = ""
        if size > self._position:
            with self._log.open("rb") as file:
                file.seek(self._position)
                text = file.read(size - self._position).decode(errors="replace")
        self._position = size
        return [line for line in text.splitlines() if line.strip() and self._pattern.search(line)]

    def rotate(self) -> None:
        """Empty the log if it is over LOG_LIMIT_BYTES; what was in it is then in `<name>.log.1`. Raises OSError."""
        if self._position > LOG_LIMIT_BYTES:
            put_away(self._log)
            self._position = 0


def put_away(log: Path) -> None:
    """Copy a log beside itself and empty it. It is not replaced: its process appends to this very file.

    If the disk has no room for a copy, only the last LOG_END_BYTES are kept: they fit once the log is empty.
    """
    beside = log.with_suffix(".log.1")
    try:
        shutil.copyfile(log, beside)
    except OSError:
        with log.open("rb") as file:
            file.seek(-LOG_END_BYTES, os.SEEK_END)
            end = file.read()
        log.open("wb").close()
        beside.write_bytes(end)
    else:
        log.open("wb").close()


def measure_log(log: Path) -> int:
    """How many bytes are in `log`; 0 if there is no such file. Raises OSError if it cannot be asked."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def read_log_end(log: Path, *, lines: int = 15) -> str:
    """The last `lines` of a log file; a word in brackets if it is empty or cannot be read."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
