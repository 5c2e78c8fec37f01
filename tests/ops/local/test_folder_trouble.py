"""Why a data folder cannot be used: one sentence, which names the true cause."""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from ops.local import folder_trouble
from ops.local.folder_trouble import check_room, explain_folder_trouble
from storage.model.errors import InvalidSettings, PermanentError

pytestmark = pytest.mark.quick

Usage = namedtuple("Usage", "total used free")


def explain(error: OSError, folder: Path) -> str:
    """The sentence that is made of an error."""
    with (
        pytest.raises((InvalidSettings, PermanentError)) as explained,
        explain_folder_trouble(folder),
    ):
        raise error
    return str(explained.value.detail)


def test_another_users_folder_is_named_with_its_owner(tmp_path: Path) -> None:
    """The sentence says whose the folder is, and who we are; for a folder that is not there the one above it counts."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 4321, -1)
    whose = "4321" if os.geteuid() == 0 else "root"
    place = tmp_path if os.geteuid() == 0 else Path("/")
    refused = PermissionError(errno.EACCES, "Permission denied", str(place / "not-there" / "x"))
    said = explain(refused, place / "not-there")
    assert f"{place} belongs to the user {whose}" in said
    assert "CARILLON_DATA_DIR" in said


def test_our_own_folder_without_permissions_is_named_with_its_mode(tmp_path: Path) -> None:
    """A folder of ours that does not let us in is not called another user's."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    said = explain(PermissionError(errno.EACCES, "Permission denied", str(folder / "x")), folder)
    assert f"chmod u+rwX {folder}" in said
    assert "(its mode is 500)" in said


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """If a file stands where the folder, or one above it, should be, that file is named."""
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        with (
            pytest.raises(InvalidSettings, match=f"{file} is a file"),
            explain_folder_trouble(folder),
        ):
            folder.mkdir(parents=True, exist_ok=True)


def test_a_file_system_that_can_only_be_read_is_named_as_such(tmp_path: Path) -> None:
    """A read-only file system is neither a full disk nor another user's folder."""
    said = explain(OSError(errno.EROFS, "Read-only file system", str(tmp_path)), tmp_path)
    assert "can only be read" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_what_is_free(tmp_path: Path, number: int) -> None:
    """A write that found no room is a full disk, also where the system names no file."""
    assert "is full:" in explain(OSError(number, "No space left on device"), tmp_path)


def test_other_errors_pass(tmp_path: Path) -> None:
    """What is not about the folder is not explained by it."""
    foreign = (OSError(errno.EACCES, "x", "/elsewhere/file"), OSError(errno.ECONNREFUSED, "x"))
    for error in foreign:
        with pytest.raises(OSError) as passed, explain_folder_trouble(tmp_path / "data"):
            raise error
        assert passed.value is error


def test_a_start_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start on a disk with too little room is refused; a folder that has its data needs less than a new one."""
    usage = Usage(1 << 30, 0, folder_trouble.ROOM_BYTES + 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(PermanentError, match="64 MiB are free; it needs 256 MiB"):
        check_room(tmp_path)
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    check_room(tmp_path)
