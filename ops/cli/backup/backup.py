"""`carillon backup`: the record, the media and the secrets in one file, while everything goes on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from ops.backup.creation import Source, make_backup
from ops.backup.last_backup import remember_backup
from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.backup.passphrases import read_passphrase
from ops.cli.terminal.printing import say
from ops.cli.terminal.progress import byte_bar
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.stack import SECRETS, keep_secrets
from ops.local.stack_lock import hold_stack_lock
from storage.media.store import MediaSettings
from storage.model.errors import NotFound
from storage.settings import DatabaseSettings, DataFolder, load


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the passphrase that seals the secrets. Without it you are asked.",
)
@click.option("--without-secrets", is_flag=True, help="Leave keys and the console's token out.")
@click.option("--without-media", is_flag=True, help="Leave uploaded files out.")
def backup(
    *, file: Path, passphrase_file: Path | None, without_secrets: bool, without_media: bool
) -> None:
    """Write FILE: the record, the uploaded files and, under a passphrase, the secrets.

    The stack may run, and goes on. FILE is there when it is whole, and never before. People's messages are readable in
    it: keep it as safe as the data.
    """
    environ = read_environment()
    passphrase = None if without_secrets else read_passphrase(passphrase_file, is_new=True)
    with _open_source(environ, with_media=not without_media) as source:
        with byte_bar() as show:
            manifest = make_backup(file, source, passphrase=passphrase, progress=show)
        remember_backup(load(DataFolder, environ).path, file, made_at=manifest.made_at)
    size = file.stat().st_size
    say(
        f"{file}: the record as it was at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"{manifest.media_objects:,} files, {size / 2**20:,.1f} MiB."
    )
    if without_secrets:
        say(
            "Without secrets: keep CARILLON_SECRETS_KEY and CARILLON_JWT_SECRET elsewhere.",
            err=True,
        )


@contextmanager
def _open_source(environ: Mapping[str, str], *, with_media: bool) -> Iterator[Source]:
    """What is to be backed up: of the servers in the settings, or of a stopped stack's PostgreSQL, run for this block."""
    folder = load(DataFolder, environ).path.resolve()
    media = load(MediaSettings, environ)
    objects = (media.media_folder or folder / "media") if with_media and not media.bucket else None
    if environ.get("CARILLON_DATABASE_URL"):
        secrets = {name: environ[name] for name in SECRETS if name in environ}
        yield Source(find_actor(), load(DatabaseSettings, environ), objects, secrets)
        return
    if not (folder / "postgres" / "data").is_dir():
        raise NotFound(f"There is nothing to back up: {folder} holds no stack's data.")
    with hold_stack_lock(folder):
        server = EmbeddedPostgres(folder / "postgres", log=folder / "logs" / "postgres.log")
        try:
            server.start()
            kept = keep_secrets(folder)
            secrets = {name: environ.get(name) or kept[name] for name in SECRETS}
            yield Source(find_actor(), load(DatabaseSettings, server.variables), objects, secrets)
            server.stop(seconds=60)
        finally:
            server.kill()
