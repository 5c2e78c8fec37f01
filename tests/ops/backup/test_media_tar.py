"""Uploaded files go into a backup and come out as they were, and nowhere else."""

import io
import tarfile
from pathlib import Path

import pytest

from ops.backup.archive import PartWriter
from ops.backup.media_tar import measure_media, read_media, write_media
from storage.model.errors import PermanentError

pytestmark = pytest.mark.quick


def write(folder: Path) -> bytes:
    """The tar of a folder."""
    into = io.BytesIO()
    write_media(folder, PartWriter(into, lambda _: None))
    return into.getvalue()


def read(text: bytes, folder: Path) -> int:
    """Read a tar into a folder."""
    return read_media(io.BytesIO(text), folder, advance=lambda _: None)


def test_objects_come_out_as_they_were(tmp_path: Path) -> None:
    """Every object is there again under its key, its owner's alone; uploads under way are left out."""
    store, other = tmp_path / "store", tmp_path / "other"
    (store / "user" / "7").mkdir(parents=True)
    (store / "user" / "7" / ("k" * 120 + ".png")).write_bytes(b"\x89PNG" * 1_000)
    (store / "user" / "7" / "empty").write_bytes(b"")
    (store / "user" / "7" / ".abc.part").write_bytes(b"half")
    assert measure_media(store) == 4_000
    assert read(write(store), other) == 2
    found = {path.relative_to(other) for path in other.rglob("*") if path.is_file()}
    assert found == {Path("user/7/empty"), Path("user/7") / ("k" * 120 + ".png")}
    one = other / "user" / "7" / ("k" * 120 + ".png")
    assert one.read_bytes() == b"\x89PNG" * 1_000
    assert one.stat().st_mode & 0o777 == 0o600


def test_reading_again_takes_up_what_was_broken_off(tmp_path: Path) -> None:
    """Objects can be read into a folder that has some of them already, as after a restore that was killed."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "one").write_bytes(b"whole")
    text = write(tmp_path / "store")
    assert read(text, tmp_path / "other") == 1
    (tmp_path / "other" / "one").write_bytes(b"wh")
    assert read(text, tmp_path / "other") == 1
    assert (tmp_path / "other" / "one").read_bytes() == b"whole"
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["one"]


def test_a_store_that_was_never_used_is_empty(tmp_path: Path) -> None:
    """No folder gives a backup without objects, and restores to one."""
    assert read(write(tmp_path / "nothing"), tmp_path / "other") == 0


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    """An entry that leads out of the folder is refused."""
    text = io.BytesIO()
    with tarfile.open(mode="w", fileobj=text) as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(PermanentError, match="no object"):
        read(text.getvalue(), tmp_path / "store")
    assert not (tmp_path / "out").exists()


def test_a_link_is_no_object(tmp_path: Path) -> None:
    """A symbolic link in a backup is refused."""
    text = io.BytesIO()
    with tarfile.open(mode="w", fileobj=text) as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(PermanentError, match="no object"):
        read(text.getvalue(), tmp_path / "store")
