"""`carillon app rotate-secret`: a new secret of an app, and when the one before ends."""

import json
from datetime import datetime

import click

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.apps.lookup import find_app
from ops.cli.servers import open_database
from ops.cli.terminal.moments import Moment
from ops.cli.terminal.printing import say
from storage.model.caller import App
from storage.postgres.acts import apps as acts
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load


@click.command("rotate-secret")
@click.argument("app_id")
@click.option("--now", "is_only", is_flag=True, help="The one before ends at once.")
@click.option("--expires", type=Moment(), help="The one before ends then, such as in 7d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def rotate_secret(*, app_id: str, is_only: bool, expires: datetime | None, as_json: bool) -> None:
    """Give an app a new secret, shown once.

    The one before stays valid until the next time, until --expires, or with --now no longer than the few
    seconds for which ingest remembers it.
    """
    if is_only and expires is not None:
        raise click.UsageError("Say --now or --expires, not both.")
    with open_database() as database:
        found, secret = database.transaction(
            acts.rotate_secret,
            find_actor(),
            id=find_app(database, app_id).id,
            vault=make_vault(),
            old_ends_at=expires,
            is_only=is_only,
        )
    print_secret(found, secret, as_json=as_json)
    if expires is not None and not as_json:
        say(f"The one before ends at {expires.astimezone():%Y-%m-%d %H:%M:%S %z}.", err=True)


def print_secret(made: App, secret: str, *, as_json: bool) -> None:
    """Print an app's new secret, once."""
    if as_json:
        say(json.dumps({"id": made.id, "app_id": made.app_id, "secret": secret}))
        return
    say(f"id      {made.id}\napp id  {made.app_id}\nsecret  {secret}")
    say("Keep the secret: it is not shown again.", err=True)


def make_vault() -> Vault:
    """What seals secrets, with the key of the settings."""
    return Vault(load(VaultSettings, read_environment()))
