"""`carillon app`: business apps and their secrets."""

import json
import re

import click
from rich.table import Table

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say
from storage.model.action_link import is_absolute_url, is_redirect_host
from storage.model.caller import App
from storage.model.errors import CallerError, NotFound
from storage.postgres.acts import apps as acts
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp, Vault, VaultSettings
from storage.settings import load

# It stands in headers, in URLs and in the text that is signed (contract §1).
_APP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@click.group()
def app() -> None:
    """Business apps: add one, list them, rotate a secret."""


@app.command()
@click.argument("app_id")
@click.option("--name", required=True, help="Shown to people.")
@click.option("--callback-url", required=True, help="Where single sign-on leads: https://...")
@click.option(
    "--redirect-host",
    "redirect_hosts",
    multiple=True,
    metavar="H",
    help="One more host that buttons may lead to, or *.domain; may be repeated.",
)
@click.option("--description", default="", help="Shown to people.")
@click.option("--category", help="Groups apps; made when it is new.")
@click.option("--protocol", default="SIMPLE_API", show_default=True, help="Of single sign-on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def add(
    *,
    app_id: str,
    name: str,
    callback_url: str,
    redirect_hosts: tuple[str, ...],
    description: str,
    category: str | None,
    protocol: str,
    as_json: bool,
) -> None:
    """Add an app. Its secret is shown once, now."""
    hosts = tuple(host.lower() for host in redirect_hosts)
    new = NewApp(app_id, name, callback_url, hosts, description, category or None, protocol)
    _check_app(new)
    with open_database() as database:
        made, secret = database.transaction(acts.add, find_actor(), new=new, vault=_make_vault())
    _print_secret(made, secret, as_json=as_json)


def _check_app(new: NewApp) -> None:
    """Raise CallerError if the app could never work."""
    if not _APP_ID.fullmatch(new.app_id):
        raise CallerError(
            f"“{new.app_id}” cannot be an app id: up to 64 letters, digits, and . _ - between them."
        )
    if not new.name.strip():
        raise CallerError("The name is empty.")
    if not is_absolute_url(new.callback_url):
        raise CallerError(f"“{new.callback_url}” is not an absolute http(s) URL.")
    for host in new.redirect_hosts:
        if not is_redirect_host(host):
            raise CallerError(f"“{host}” is not a host, such as oa.example.com or *.example.com.")


@app.command("list")
def list_() -> None:
    """List every app."""
    with open_database() as database:
        found = database.transaction(apps.list_all)
    table = Table("id", "app id", "name", "active", "callback", "more hosts")
    for one in found:
        hosts = ", ".join(one.redirect_hosts)
        active = "yes" if one.is_active else "no"
        table.add_row(str(one.id), one.app_id, one.name, active, one.callback_url, hosts)
    make_console().print(table if found else "There are no apps.")


@app.command("rotate-secret")
@click.argument("app_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def rotate_secret(*, app_id: str, as_json: bool) -> None:
    """Give an app a new secret, shown once; the one before stays valid until the next time."""
    with open_database() as database:
        found = _find_app(database, app_id)
        found, secret = database.transaction(
            acts.rotate_secret, find_actor(), id=found.id, vault=_make_vault()
        )
    _print_secret(found, secret, as_json=as_json)


@app.command()
@click.argument("app_id")
def disable(*, app_id: str) -> None:
    """Refuse the app's calls, and hide it from people."""
    _set_active(app_id, is_active=False)


@app.command()
@click.argument("app_id")
def enable(*, app_id: str) -> None:
    """Let the app call again."""
    _set_active(app_id, is_active=True)


def _set_active(app_id: str, *, is_active: bool) -> None:
    with open_database() as database:
        found = _find_app(database, app_id)
        database.transaction(acts.set_active, find_actor(), id=found.id, is_active=is_active)
    say(f"App {app_id} is {'enabled' if is_active else 'disabled'}.")


def _find_app(database: BlockingDatabase, app_id: str) -> App:
    found = database.transaction(apps.find, app_id)
    if found is None:
        raise NotFound(f"There is no app {app_id}.")
    return found


def _print_secret(made: App, secret: str, *, as_json: bool) -> None:
    if as_json:
        say(json.dumps({"id": made.id, "app_id": made.app_id, "secret": secret}))
        return
    say(f"id      {made.id}\napp id  {made.app_id}\nsecret  {secret}")
    say("Keep the secret: it is not shown again.", err=True)


def _make_vault() -> Vault:
    return Vault(load(VaultSettings, read_environment()))
