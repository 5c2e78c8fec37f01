"""Reading a backup back: into a data folder of its own, or into the database of a server of one's own.

A file is read through and its digests are compared before anything is touched. A data folder is made beside its place
and moved there when all of it is on the disk: whatever dies meanwhile, the folder is the old one or the whole new one.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops.backup.archive import MEDIA, RECORD, ArchiveReader, sync_folder
from ops.backup.creation import Progress, count_bytes
from ops.backup.media_tar import read_media
from ops.backup.record_dump import load_record
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.log_files import read_log_end
from ops.local.stack import prepare_environment, write_secrets
from ops.local.stack_lock import hold_stack_lock
from storage.model.errors import InConflict, PermanentError, TransientError
from storage.model.operator import Actor
from storage.postgres import restores, schema, session_limits
from storage.postgres.database import BlockingDatabase
from storage.postgres.restores import RestoredRecord
from storage.settings import DatabaseSettings, load

# What a folder may hold and still be empty: a lock that nobody holds.
_NOTHING = {"up.lock"}
_SKEW = timedelta(seconds=2)
_TROUBLE = re.compile(r"(?:PANIC|FATAL|ERROR): +(.*(?:No space left on device|could not write).*)")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be restored and how.

    `actor` is who restores. `secrets` are what the processes are given again; empty: the folder makes new ones.
    `with_media` False leaves media out; `media_folder` is theirs if it is not that of the data folder. `ids_after` is for
    when the lost machine's clock was ahead.
    """

    actor: Actor
    secrets: Mapping[str, str]
    with_media: bool = True
    media_folder: Path | None = None
    ids_after: datetime | None = None


def verify(archive: ArchiveReader, *, progress: Progress) -> None:
    """Read the whole backup and compare its digests. Raises PermanentError if a part is damaged."""
    total = sum(part.size for part in archive.manifest.parts.values())
    archive.verify(count_bytes("Verifying", total, progress))


def check_clock(known: datetime, *, now: datetime, ids_after: datetime | None) -> None:
    """Raise InConflict if the clock shows a time before `known`, when ids were given out, unless `ids_after` is after it.

    Ids are made of the time: those that were given out until then would be given out again.
    """
    if now < known - _SKEW and (ids_after is None or ids_after < known):
        raise InConflict(
            f"This machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC, and messages were sent until "
            f"{known:%Y-%m-%d %H:%M:%S}. Set it right, or say above which time ids may go on: --ids-after."
        )


def find_last_write(folder: Path) -> datetime | None:
    """When the PostgreSQL of a data folder last wrote to its log, by the clock of then; None if it has none."""
    log = folder / "postgres" / "data" / "pg_wal"
    times = [path.stat().st_mtime for path in log.glob("*") if path.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def restore_folder(
    archive: ArchiveReader,
    folder: Path,
    *,
    wishes: Wishes,
    force: bool,
    progress: Progress,
    say: Callable[[str], None],
) -> tuple[RestoredRecord, Path | None]:
    """Make the data folder of a stack from a verified backup; returns what it holds, and where the old folder is now.

    The folder must be empty or not there. With `force` an old one is moved aside, beside its place, and nothing of it is
    deleted. Raises InConflict if there is an old one, or a stack runs on it, or another restore.
    """
    folder = folder.resolve()
    aside = _choose_name_aside(folder, force=force)
    making = folder.with_name(f"{folder.name}.restoring")
    try:
        with ExitStack() as locks:
            if folder.exists():
                locks.enter_context(hold_stack_lock(folder))
            making.mkdir(mode=0o700, exist_ok=True, parents=True)
            busy = f"Another restore to {folder} is running."
            locks.enter_context(hold_stack_lock(making, busy=busy))
            locks.enter_context(_remove_unless_done(making))
            locks.enter_context(_keep_from_others())
            restored = _fill(archive, making, wishes=wishes, progress=progress, say=say)
            _put_in_place(making, folder, aside=aside)
    except OSError as error:
        raise PermanentError(
            f"{error.filename or making}: {error.strerror}. Nothing was restored."
        ) from error
    return restored, aside


@contextmanager
def _keep_from_others() -> Iterator[None]:
    """Make files and folders in this block that are their owner's alone, those of the servers too."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _choose_name_aside(folder: Path, *, force: bool) -> Path | None:
    """Where what is at `folder` will be moved; None if nothing is there."""
    if not folder.exists():
        return None
    if folder.is_mount():
        raise InConflict(
            f"{folder} is a mount point and cannot be replaced: choose a folder in it with CARILLON_DATA_DIR."
        )
    if {path.name for path in folder.iterdir()} <= _NOTHING:
        return None
    if not force:
        raise InConflict(
            f"{folder} is not empty. Choose another folder with CARILLON_DATA_DIR, or --force: it is moved aside."
        )
    now = datetime.now(UTC)
    return folder.with_name(f"{folder.name}.before-{now:%Y%m%dT%H%M%SZ}")


@contextmanager
def _remove_unless_done(making: Path) -> Iterator[None]:
    """Begin with an empty folder, also after a restore that was killed, and leave none if this block raises."""
    for path in making.iterdir():
        if path.name not in _NOTHING:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        yield
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _fill(
    archive: ArchiveReader,
    making: Path,
    *,
    wishes: Wishes,
    progress: Progress,
    say: Callable[[str], None],
) -> RestoredRecord:
    write_secrets(making, wishes.secrets)
    environ = prepare_environment({"CARILLON_DATA_DIR": str(making)}, say=say)
    log = making / "logs" / "postgres.log"
    # What a power cut would take now is written down below, all at once.
    server = EmbeddedPostgres(making / "postgres", log=log, is_durable=False, say=say)
    try:
        server.start()
        server.set_up()
        settings = load(DatabaseSettings, environ | server.variables)
        restored = load_database(archive, settings, wishes=wishes, progress=progress)
        server.stop(seconds=60)
    except (PermanentError, TransientError) as error:
        # Its log goes with the unfinished folder.
        if trouble := _find_trouble(log):
            raise PermanentError(
                f"PostgreSQL could not take the record in: {trouble}. Nothing was restored."
            ) from error
        raise
    finally:
        server.kill()
    if wishes.with_media:
        restore_media(archive, wishes.media_folder or making / "media", progress=progress)
    os.sync()
    return restored


def _find_trouble(log: Path) -> str:
    """Why the server broke off what it did, by its log; empty if it says nothing of it."""
    found = _TROUBLE.findall(read_log_end(log, lines=200))
    return str(found[0]) if found else ""


def _put_in_place(making: Path, folder: Path, *, aside: Path | None) -> None:
    if aside is not None:
        folder.rename(aside)
    elif folder.exists():
        (folder / "up.lock").unlink()
        folder.rmdir()
    making.rename(folder)
    sync_folder(folder.parent)


def load_database(
    archive: ArchiveReader, settings: DatabaseSettings, *, wishes: Wishes, progress: Progress
) -> RestoredRecord:
    """Load the record of a verified backup into an empty database, and bring it up to this release.

    Raises InConflict if the database holds tables of Carillon, PermanentError if the backup is of a newer release or
    cannot be loaded; then the database is as it was.
    """
    as_owner = replace(settings, url=settings.owner_url or settings.url)
    limits = replace(session_limits.MIGRATION, lock=timedelta(seconds=30))
    record = BlockingDatabase(as_owner, application_name="carillon restore", limits=limits)
    part = archive.manifest.parts[RECORD]
    try:
        if record.transaction(schema.find_revision) is not None:
            raise InConflict(
                "The database holds tables of Carillon already: restore into an empty one."
            )
        if not record.transaction(schema.is_known_revision, archive.manifest.schema):
            release = archive.manifest.release
            raise PermanentError(f"The backup was made by a newer release ({release}).")
        with archive.open(RECORD) as source:
            advance = count_bytes("The record", part.size, progress)
            load_record(as_owner.url, source, advance=advance)
        schema.upgrade(settings)
        restored = record.transaction(restores.begin_anew, wishes.actor, ids_after=wishes.ids_after)
        record.transaction(restores.gather_statistics)
    finally:
        record.close()
    return restored


def restore_media(archive: ArchiveReader, folder: Path, *, progress: Progress) -> int:
    """Write the backup's media into `folder`; returns how many objects, 0 if the backup has none."""
    part = archive.manifest.parts.get(MEDIA)
    if part is None:
        return 0
    folder.mkdir(mode=0o700, exist_ok=True, parents=True)
    with archive.open(MEDIA) as source:
        return read_media(source, folder, advance=count_bytes("Media", part.size, progress))
