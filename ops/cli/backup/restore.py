"""`carillon restore`: a backup becomes a data folder, or the contents of an empty database."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from ops.backup.archive import ArchiveReader, open_archive
from ops.backup.creation import Progress
from ops.backup.last_backup import remember_backup
from ops.backup.restoration import (
    Wishes,
    check_clock,
    find_last_write,
    load_database,
    restore_folder,
    restore_media,
    verify,
)
from ops.backup.sealing import open_sealed
from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.backup.instants import INSTANT
from ops.cli.backup.passphrases import read_passphrase
from ops.cli.servers import open_bus
from ops.cli.terminal.printing import say
from ops.cli.terminal.progress import byte_bar
from ops.local.stack_lock import read_running_environment
from ops.local.state_files import write_private
from storage.media.store import MediaSettings
from storage.model.errors import InConflict, NotAllowed, PermanentError
from storage.postgres.restores import RestoredRecord
from storage.settings import DatabaseSettings, DataFolder, load

# Without them a restored deployment opens no app's secret and knows no token.
_NEEDED = ("CARILLON_SECRETS_KEY", "CARILLON_JWT_SECRET")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the passphrase of the secrets. Without it you are asked.",
)
@click.option("--check", is_flag=True, help="Read FILE through, and restore nothing.")
@click.option("--force", is_flag=True, help="Move a data folder that is not empty aside first.")
@click.option("--without-media", is_flag=True, help="Do not restore uploaded files.")
@click.option("--new-secrets", is_flag=True, help="Make new keys: apps then need new secrets.")
@click.option(
    "--secrets-into",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With servers of your own: a new file for the secrets, as NAME=value lines.",
)
@click.option(
    "--ids-after",
    type=INSTANT,
    help="Give new messages ids of after this time: if the lost machine's clock was ahead.",
)
def restore(
    *,
    file: Path,
    passphrase_file: Path | None,
    check: bool,
    force: bool,
    without_media: bool,
    new_secrets: bool,
    secrets_into: Path | None,
    ids_after: datetime | None,
) -> None:
    """Restore FILE, which `carillon backup` made, into the data folder (CARILLON_DATA_DIR), which must be empty.

    With CARILLON_DATABASE_URL: into that database, which must be empty. Nothing is touched before all of FILE was read
    and found to be whole. No stack may run on the folder.
    """
    environ = read_environment()
    folder = load(DataFolder, environ).path
    if not check and read_running_environment(folder):
        raise InConflict(f"Carillon is running on {folder}; stop it first.")
    with open_archive(file) as archive, byte_bar() as show:
        secrets: Mapping[str, str] = {}
        if not new_secrets:
            secrets = _open_secrets(archive, environ, passphrase_file, is_only_check=check)
        media = load(MediaSettings, environ)
        wishes = Wishes(
            find_actor(),
            secrets,
            with_media=not without_media and not media.bucket,
            media_folder=media.media_folder,
            ids_after=ids_after,
        )
        if not check:
            known = (archive.manifest.made_at, find_last_write(folder))
            latest = max(one for one in known if one is not None)
            check_clock(latest, now=datetime.now(UTC), ids_after=ids_after)
        verify(archive, progress=show)
        if check:
            _describe(archive, file)
        elif environ.get("CARILLON_DATABASE_URL"):
            restored = _restore_servers(archive, environ, wishes, into=secrets_into, show=show)
            _report(restored)
        else:
            restored, aside = restore_folder(
                archive, folder, wishes=wishes, force=force, progress=show, say=_tell
            )
            remember_backup(folder, file, made_at=archive.manifest.made_at)
            _report(restored)
            if aside is not None:
                say(f"The folder as it was is {aside}.", err=True)
            say("Next: carillon up, then carillon doctor.", err=True)


def _open_secrets(
    archive: ArchiveReader,
    environ: Mapping[str, str],
    passphrase_file: Path | None,
    *,
    is_only_check: bool,
) -> dict[str, str]:
    if archive.has_secrets():
        if is_only_check and passphrase_file is None:
            return {}
        passphrase = read_passphrase(passphrase_file, is_new=False)
        opened = open_sealed(archive.read_secrets(), passphrase, bound_to=archive.manifest_text)
        found: dict[str, str] = json.loads(opened)
        return found
    if not is_only_check and not all(environ.get(name) for name in _NEEDED):
        raise NotAllowed(
            f"There are no secrets in the backup: set {' and '.join(_NEEDED)} as they were, "
            "or make new ones: --new-secrets."
        )
    return {}


def _restore_servers(
    archive: ArchiveReader,
    environ: Mapping[str, str],
    wishes: Wishes,
    *,
    into: Path | None,
    show: Progress,
) -> RestoredRecord:
    """Restore into servers of one's own: the database, the local store's folder, the secrets into a file."""
    if wishes.secrets and into is None:
        raise NotAllowed("Where are the secrets to go? --secrets-into FILE")
    if into is not None and into.exists():
        raise InConflict(f"{into} exists, and is not overwritten.")
    if wishes.with_media:
        objects = wishes.media_folder or load(DataFolder, environ).path / "media"
        restore_media(archive, objects, progress=show)
    with _write_secrets(into, wishes.secrets):
        settings = load(DatabaseSettings, environ)
        restored = load_database(archive, settings, wishes=wishes, progress=show)
    if environ.get("CARILLON_VALKEY_URL"):
        with open_bus() as bus:
            bus.begin_anew()
    return restored


@contextmanager
def _write_secrets(into: Path | None, secrets: Mapping[str, str]) -> Iterator[None]:
    """Write the secrets before this block, which restores what they open; if it raises, they are not left behind."""
    if into is None:
        yield
        return
    try:
        write_private(into, "".join(f"{name}={text}\n" for name, text in sorted(secrets.items())))
    except OSError as error:
        raise PermanentError(f"{into} cannot be written: {error.strerror}.") from error
    try:
        yield
    except BaseException:
        into.unlink(missing_ok=True)
        raise


def _describe(archive: ArchiveReader, file: Path) -> None:
    manifest = archive.manifest
    secrets = "with secrets" if archive.has_secrets() else "without secrets"
    say(
        f"{file} is whole: the record as it was at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, release "
        f"{manifest.release}, {manifest.media_objects:,} files, {secrets}."
    )


def _report(restored: RestoredRecord) -> None:
    say(
        f"Restored: {restored.users:,} people, {restored.apps:,} apps; {restored.accepted:,} accepted sends "
        "are delivered at the start."
    )


def _tell(line: str) -> None:
    say(line, err=True)
