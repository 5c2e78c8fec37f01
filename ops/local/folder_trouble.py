"""Why a data folder cannot be used, in one sentence: it is another user's, read-only, full, or no folder.

`carillon up` and what it calls touch the folder in many places. Here the system's errors become sentences; the places need
not know them.
"""

import errno
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.model.errors import InvalidSettings, PermanentError

# A new cluster of PostgreSQL takes 60 MB and its first log of changes 16; below the second, nothing can be written for long.
ROOM_FOR_NEW_BYTES, ROOM_BYTES = 256 << 20, 64 << 20
CHOOSE = "Choose another with CARILLON_DATA_DIR"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def explain_folder_trouble(folder: Path) -> Iterator[None]:
    """Turn the system's errors about `folder`, what is in it or what it lies in, into a sentence.

    Raises PermanentError for a full disk and InvalidSettings for anything else; other errors pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PermanentError(_describe_full(folder), is_about_data=False) from error
        if error.filename is not None and _is_about(Path(error.filename), folder):
            raise InvalidSettings(_describe(error, folder)) from error
        raise


def check_room(folder: Path) -> None:
    """Return if the disk of `folder`, which exists, has room for a start; raises PermanentError if not."""
    needed = ROOM_BYTES if (folder / "postgres" / "data").exists() else ROOM_FOR_NEW_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise PermanentError(_describe_full(folder, needed), is_about_data=False)


def _is_about(path: Path, folder: Path) -> bool:
    here = Path(os.path.abspath(path))  # noqa: PTH100 (resolve would ask the disk, which is the trouble)
    there = Path(os.path.abspath(folder))  # noqa: PTH100
    return here.is_relative_to(there) or there.is_relative_to(here)


def _describe(error: OSError, folder: Path) -> str:
    path = Path(error.filename)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"The data folder {folder} cannot be used: {_describe_owner(path)}"
    if error.errno == errno.EROFS:
        return f"The data folder {folder} is on a file system that can only be read. {CHOOSE}."
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"The data folder {folder} cannot be made: {_find_file(folder)} is a file. {CHOOSE}, or move that file away."
    return f"The data folder {folder} cannot be used: {path}: {error.strerror}. {CHOOSE}."


def _describe_owner(path: Path) -> str:
    """Whose `path` is; if it is not there, or cannot be seen, the nearest folder above it."""
    place = _find_nearest(path)
    whose, we = _find_name(place.stat().st_uid), _find_name(os.geteuid())
    if whose != we:
        return (
            f"{place} belongs to the user {whose}, and this is {we}. {CHOOSE}, or start as {whose}."
        )
    mode = stat.S_IMODE(place.stat().st_mode)
    return (
        f"{place} does not let even its owner do this (its mode is {mode:03o}): chmod u+rwX {place}"
    )


def _describe_full(folder: Path, needed: int = 0) -> str:
    free = shutil.disk_usage(_find_nearest(folder)).free
    wanted = f"; it needs {needed >> 20} MiB to start" if needed else ""
    return f"The disk of the data folder {folder} is full: {free >> 20} MiB are free{wanted}. Make room, or choose another with CARILLON_DATA_DIR."


def _find_file(folder: Path) -> Path:
    return next(
        (one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), folder
    )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _find_nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that can be seen."""
    return next(one for one in (path, *path.parents) if _is_there(one))


def _find_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
