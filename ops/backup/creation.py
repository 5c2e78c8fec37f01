"""Making a backup: the record first, then the media, then the secrets under a passphrase."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from ops.backup.archive import (
    MANIFEST,
    MEDIA,
    RECORD,
    SECRETS,
    Advance,
    ArchiveWriter,
    create_archive,
)
from ops.backup.manifest import Manifest
from ops.backup.media_tar import measure_media, write_media
from ops.backup.record_dump import dump_record
from ops.backup.sealing import seal
from storage.model.errors import PermanentError
from storage.model.operator import Actor
from storage.postgres import audit, restores, schema
from storage.postgres.database import BlockingDatabase
from storage.settings import DatabaseSettings

# What is being done, how many bytes of it are done, and of how many (None: nobody knows).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What a backup is made of.

    `actor` is who makes it. `database` is the record. `media` is the folder of the local store, None to leave media out.
    `secrets` are the variables that the deployment's processes have to be given again.
    """

    actor: Actor
    database: DatabaseSettings
    media: Path | None
    secrets: Mapping[str, str]


def make_backup(
    path: Path, source: Source, *, passphrase: str | None, progress: Progress
) -> Manifest:
    """Write `path`, which is whole when this returns, while the deployment goes on serving.

    The record in it is that of one instant, and the media are all that it names. `passphrase` None leaves the secrets
    out. Raises InConflict if there is such a file, PermanentError if it cannot be written; then nothing is left of it.
    Raises TransientError if PostgreSQL is away; if it goes only at the end, the file is whole, and not in the audit.
    """
    made_at, revision = _begin(source)
    with create_archive(path) as archive:
        with archive.add(RECORD, advance=count_bytes("The record", None, progress)) as part:
            dump_record(source.database.owner_url or source.database.url, part)
        objects = _add_media(archive, source.media, progress)
        manifest = Manifest(made_at, version("carillon"), revision, objects, archive.parts)
        text = manifest.encode()
        with archive.add(MANIFEST) as part:
            part.write(text)
        if passphrase is not None:
            with archive.add(SECRETS) as part:
                plain = json.dumps(dict(source.secrets)).encode()
                part.write(seal(plain, passphrase, bound_to=text))
    _note_end(source, made_at)
    return manifest


def _add_media(archive: ArchiveWriter, folder: Path | None, progress: Progress) -> int:
    if folder is None:
        return 0
    advance = count_bytes("Media", measure_media(folder), progress)
    with archive.add(MEDIA, advance=advance) as part:
        return write_media(folder, part)


def _begin(source: Source) -> tuple[datetime, str]:
    """Note in the audit who is about to read everything; returns the instant, and the schema's revision."""
    record = BlockingDatabase(source.database, application_name="carillon backup")
    try:
        revision = record.transaction(schema.find_revision)
        if revision is None:
            raise PermanentError("The database holds no tables of Carillon: nothing to back up.")
        record.transaction(audit.record, source.actor, act="record.backup", target="record")
        return record.transaction(restores.read_clock), revision
    finally:
        record.close()


def _note_end(source: Source, made_at: datetime) -> None:
    """Note in the audit that the backup is whole: its age is seen from there, wherever the file is taken."""
    record = BlockingDatabase(source.database, application_name="carillon backup")
    try:
        record.transaction(
            audit.record,
            source.actor,
            act=audit.BACKED_UP,
            target="record",
            after={"as_of": made_at.isoformat()},
        )
    finally:
        record.close()


def count_bytes(what: str, total: int | None, progress: Progress) -> Advance:
    """A function that adds up the bytes that it is told of, and tells `progress` the sum."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)

    return advance
