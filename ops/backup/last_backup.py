"""When the last backup of a data folder was made, for `carillon doctor`: a small file beside the data."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops.local.state_files import write_private

NAME = "last_backup.json"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The instant of the record in it, and the file."""

    made_at: datetime
    file: str


def remember_backup(folder: Path, file: Path, *, made_at: datetime) -> None:
    """Note the backup `file` in the data folder; nothing is noted where there is no such folder."""
    if folder.is_dir():
        note = {"made_at": made_at.isoformat(), "file": str(file.resolve())}
        write_private(folder / NAME, json.dumps(note) + "\n")


def find_last_backup(folder: Path) -> LastBackup | None:
    """The last backup that was made from this data folder; None if none was noted."""
    try:
        note = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return LastBackup(datetime.fromisoformat(note["made_at"]), str(note["file"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
