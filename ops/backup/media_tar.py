"""The objects of the local media store as one tar, written and read as a stream.

An object never changes once it is there, and it is there before a message names it. So objects that are read after the
record hold all that the record's messages name.
"""

import os
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ops.backup.archive import BLOCK, Advance, PartWriter
from storage.model.errors import PermanentError


def write_media(folder: Path, into: PartWriter) -> int:
    """Write every object in `folder` to `into`; returns how many there were. No folder is no objects."""
    number = 0
    with tarfile.open(
        mode="w|", fileobj=cast("IO[bytes]", into), format=tarfile.PAX_FORMAT
    ) as archive:
        for path in _list_objects(folder):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue  # its owner was erased a moment ago
            with file:
                entry = archive.gettarinfo(arcname=str(path.relative_to(folder)), fileobj=file)
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                archive.addfile(entry, file)
            _forget_entries(archive)
            number += 1
    return number


def measure_media(folder: Path) -> int:
    """How many bytes the objects in `folder` have."""
    total = 0
    for path in _list_objects(folder):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _list_objects(folder: Path) -> Iterator[Path]:
    # What begins with a dot is an upload that is under way, or one that was given up.
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def read_media(source: IO[bytes], folder: Path, *, advance: Advance) -> int:
    """Write the objects of a tar into `folder`; returns how many there were. Safe to repeat.

    Each gets its name when it is whole. Raises PermanentError for an entry that is no plain file below `folder`, and when
    the disk does not take one.
    """
    number = 0
    with tarfile.open(mode="r|", fileobj=source) as archive:
        while (entry := archive.next()) is not None:
            content = archive.extractfile(entry) if entry.isreg() else None
            place = PurePosixPath(entry.name)
            if content is None or place.is_absolute() or ".." in place.parts:
                raise PermanentError(f"The backup holds {entry.name!r}, which is no object.")
            try:
                _write_object(content, folder / place, advance=advance)
            except OSError as error:
                raise PermanentError(
                    f"{folder / place} cannot be written: {error.strerror}."
                ) from error
            _forget_entries(archive)
            number += 1
    return number


def _write_object(content: IO[bytes], path: Path, *, advance: Advance) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{secrets.token_hex(16)}.part")
    with unfinished.open("xb") as file:
        unfinished.chmod(0o600)
        while block := content.read(BLOCK):
            file.write(block)
            advance(len(block))
    unfinished.replace(path)


def _forget_entries(archive: tarfile.TarFile) -> None:
    """Keep a stream of a million entries from remembering each of them."""
    archive.members = []  # type: ignore[attr-defined]
