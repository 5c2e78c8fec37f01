"""Before a restore: what the clock must show, and what an old folder tells of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.backup.restoration import check_clock, find_last_write
from storage.model.errors import InConflict

pytestmark = pytest.mark.quick

MADE_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "ids_after"),
    [
        (MADE_AT + HOUR, None),
        (MADE_AT - timedelta(seconds=1), None),
        (MADE_AT - HOUR, MADE_AT + HOUR),
    ],
)
def test_a_clock_that_is_past_the_backup_will_do(now: datetime, ids_after: datetime | None) -> None:
    """A clock after the backup, or a second before it, will do, and so will one that is behind if ids begin later."""
    check_clock(MADE_AT, now=now, ids_after=ids_after)


@pytest.mark.parametrize("ids_after", [None, MADE_AT - timedelta(minutes=1)])
def test_a_clock_before_the_backup_is_refused(ids_after: datetime | None) -> None:
    """With a clock that is behind, ids that were given out would be given out again: the sentence names both times."""
    with pytest.raises(InConflict, match=r"11:00:00 UTC.*12:00:00"):
        check_clock(MADE_AT, now=MADE_AT - HOUR, ids_after=ids_after)


def test_an_old_folder_tells_when_it_was_last_written(tmp_path: Path) -> None:
    """The last write to the log of an old folder's PostgreSQL counts, and no folder tells nothing."""
    assert find_last_write(tmp_path) is None
    log = tmp_path / "postgres" / "data" / "pg_wal"
    log.mkdir(parents=True)
    for name, at in (("1", MADE_AT), ("2", MADE_AT + HOUR)):
        (log / name).touch()
        os.utime(log / name, (at.timestamp(), at.timestamp()))
    assert find_last_write(tmp_path) == MADE_AT + HOUR
