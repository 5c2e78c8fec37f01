"""The file of a backup is whole or not there, and damage is found before anything is restored."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.backup.archive import MANIFEST, RECORD, create_archive, open_archive
from ops.backup.manifest import Manifest
from storage.model.errors import InConflict, NotFound, PermanentError

pytestmark = pytest.mark.quick


def write(path: Path, record: bytes = b"the record" * 1_000) -> None:
    """Write a backup with a record and a manifest."""
    with create_archive(path) as archive:
        with archive.add(RECORD) as part:
            part.write(record)
        manifest = Manifest(datetime.now(UTC), "0.1.0", "0001", 0, archive.parts)
        with archive.add(MANIFEST) as part:
            part.write(manifest.encode())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """The parts of a backup come back as they were, it is its owner's alone, and no other file is left."""
    path = tmp_path / "one"
    write(path, b"all of it")
    with open_archive(path) as archive:
        archive.verify(lambda _: None)
        with archive.open(RECORD) as file:
            assert file.read() == b"all of it"
        assert not archive.has_secrets()
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """A backup under the name of a file that exists is refused, and the file stays as it was."""
    path = tmp_path / "one"
    path.write_text("mine")
    with pytest.raises(InConflict, match="exists"):
        write(path)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    """A backup that fails in the middle leaves no file."""

    def fail() -> None:
        with create_archive(tmp_path / "one") as archive, archive.add(RECORD) as part:
            part.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full the sentence says so, and no file is left."""

    class FullFile:
        def __init__(self, file: Any) -> None:
            self._file, self.written = file, 0

        def write(self, data: bytes) -> int:
            self.written += len(data)
            if self.written > 1_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(self._file.write(data))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    fdopen = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *args: _Opened(FullFile, fdopen(*args)))
    with pytest.raises(PermanentError, match="no room left"):
        write(tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


class _Opened:
    def __init__(self, wrap: Any, file: Any) -> None:
        self._wrap, self._file = wrap, file

    def __enter__(self) -> Any:
        return self._wrap(self._file)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_one_process_writes_a_file(tmp_path: Path) -> None:
    """A second backup of the same name, while the first is written, is refused and harms it not."""
    path = tmp_path / "one"
    with create_archive(path) as archive:
        with archive.add(RECORD) as part:
            part.write(b"first")
        with pytest.raises(InConflict, match="Another backup"):
            write(path)
        manifest = Manifest(datetime.now(UTC), "0.1.0", "0001", 0, archive.parts)
        with archive.add(MANIFEST) as part:
            part.write(manifest.encode())
    with open_archive(path) as whole:
        whole.verify(lambda _: None)


def test_what_a_killed_backup_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """A process that was killed leaves a file of another name; the next backup takes its place."""
    (tmp_path / "one.part").write_bytes(b"x" * 10_000)
    write(tmp_path / "one", b"new")
    with open_archive(tmp_path / "one") as archive:
        archive.verify(lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("place", [100, 5_000, -200])
def test_a_flipped_byte_is_found(tmp_path: Path, place: int) -> None:
    """A backup in which one byte is another one is refused."""
    path = tmp_path / "one"
    write(path)
    text = bytearray(path.read_bytes())
    text[place] ^= 1
    path.write_bytes(text)
    with pytest.raises(PermanentError), open_archive(path) as archive:
        archive.verify(lambda _: None)


@pytest.mark.parametrize("length", [0, 10, 5_000, -1])
def test_a_cut_file_is_found(tmp_path: Path, length: int) -> None:
    """A backup whose end is missing is refused."""
    path = tmp_path / "one"
    write(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(PermanentError, match="no backup of Carillon"), open_archive(path):
        pass


def test_other_files_are_no_backups(tmp_path: Path) -> None:
    """A file that is not there, and one of something else, are named in the refusal."""
    with pytest.raises(NotFound, match="nothing"), open_archive(tmp_path / "nothing"):
        pass
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PermanentError, match="text"), open_archive(tmp_path / "text"):
        pass
