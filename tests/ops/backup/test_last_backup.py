"""A data folder knows when it was backed up last."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.backup.last_backup import NAME, LastBackup, find_last_backup, remember_backup

pytestmark = pytest.mark.quick
MADE_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_the_last_one_is_remembered(tmp_path: Path) -> None:
    """The last backup is found again; a note that cannot be read counts as none, and a missing folder is not made."""
    assert find_last_backup(tmp_path) is None
    remember_backup(tmp_path, tmp_path / "one", made_at=MADE_AT)
    assert find_last_backup(tmp_path) == LastBackup(MADE_AT, str(tmp_path / "one"))
    (tmp_path / NAME).write_text("[]")
    assert find_last_backup(tmp_path) is None
    remember_backup(tmp_path / "no", tmp_path / "one", made_at=MADE_AT)
    assert not (tmp_path / "no").exists()
