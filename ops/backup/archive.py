"""The file of a backup: a ZIP whose parts are stored as they are, so that common tools can list and take them out.

It is written under another name (`.part` behind its own) and gets its own name when all of it is on the disk. So a file
that has the name of a backup is whole, whatever died while it was written; and every part has a digest in the manifest.
"""

import errno
import fcntl
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from ops.backup.manifest import Manifest, Part, decode_manifest
from storage.model.errors import InConflict, NotFound, PermanentError

RECORD, MEDIA, MANIFEST, SECRETS = "record.dump", "media.tar", "manifest.json", "secrets.sealed"
BLOCK = 1 << 20
_SMALL = 1 << 20  # what the manifest and the secrets may have, in bytes

Advance = Callable[[int], None]


class PartWriter:
    """A file to write one part into; it counts and digests what goes through."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file, self._advance = file, advance
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """Append to the part."""
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)
        self._advance(len(data))
        return len(data)

    def describe(self) -> Part:
        """What was written so far."""
        return Part(self._size, self._digest.hexdigest())


class ArchiveWriter:
    """Writes parts one after the other; `parts` describes those that are done."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: dict[str, Part] = {}

    @contextmanager
    def add(self, name: str, *, advance: Advance = lambda _: None) -> Iterator[PartWriter]:
        """Write one part of any length in this block."""
        with self._archive.open(name, "w", force_zip64=True) as file:
            writer = PartWriter(file, advance)
            yield writer
        self.parts[name] = writer.describe()


@contextmanager
def create_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Write the file `path` in this block; it is there, whole and on the disk, when the block ends.

    If the block raises, nothing of it is left. Raises InConflict if there is such a file or another process is writing
    it, PermanentError if the disk does not take it.
    """
    _refuse_existing(path)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with _open_alone(unfinished, path) as file:
            try:
                yield from _write(file)
                _refuse_existing(path)
                unfinished.rename(path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        text = "no room left" if is_full else reason
        raise PermanentError(f"{path} cannot be written: {text}. Nothing is left of it.") from error


def _write(file: BinaryIO) -> Iterator[ArchiveWriter]:
    archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
    try:
        yield ArchiveWriter(archive)
        archive.close()
        file.flush()
        os.fsync(file.fileno())
    except BaseException:
        # It writes its end when it is closed, and would fail again where the disk is full.
        with suppress(OSError, ValueError):
            os.ftruncate(file.fileno(), 0)
            archive.close()
        raise


@contextmanager
def _open_alone(unfinished: Path, path: Path) -> Iterator[BinaryIO]:
    """Open `unfinished`, which a process that was killed may have left, as the only one who does."""
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between our opening and locking it another one may have finished, and given it its name.
            is_ours = unfinished.exists() and os.path.samestat(
                unfinished.stat(), os.fstat(file.fileno())
            )
        except BlockingIOError:
            is_ours = False
        if not is_ours:
            raise InConflict(f"Another backup is being written to {path}.")
        os.ftruncate(file.fileno(), 0)
        yield file


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise InConflict(f"{path} exists, and no backup is overwritten: choose another name.")


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class ArchiveReader:
    """Reads a backup: its manifest, and each part."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self.manifest_text = self._read_small(MANIFEST)
        self.manifest: Manifest = decode_manifest(self.manifest_text)

    def has_secrets(self) -> bool:
        """Whether secrets are in it."""
        return SECRETS in self._archive.namelist()

    def read_secrets(self) -> bytes:
        """The sealed secrets."""
        return self._read_small(SECRETS)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Read one part in this block. What cannot be read there raises PermanentError."""
        try:
            with self._archive.open(name) as file:
                yield file
        except (zipfile.BadZipFile, EOFError, KeyError) as error:
            raise PermanentError(f"{self._path} is damaged: {name} cannot be read.") from error

    def verify(self, advance: Advance) -> None:
        """Read every part and compare its digest. Raises PermanentError, which names the part, if one differs."""
        for name, part in self.manifest.parts.items():
            digest, size = hashlib.sha256(), 0
            with self.open(name) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    advance(len(block))
            if Part(size, digest.hexdigest()) != part:
                raise PermanentError(
                    f"{self._path} is damaged: {name} is not what was written. Nothing was touched."
                )

    def _read_small(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read(_SMALL)


@contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """Read the backup `path` in this block. Raises NotFound or PermanentError if it is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}.") from error
    except zipfile.BadZipFile:
        raise PermanentError(
            f"{path} is no backup of Carillon, or a part of it is missing."
        ) from None
    with archive:
        yield ArchiveReader(archive, path)
