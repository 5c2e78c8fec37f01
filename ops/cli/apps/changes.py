"""`carillon app add`, `update` and `require-signature`: an app comes in, and is changed."""

import re
from collections.abc import Iterable

import click

from ops.cli.actor import find_actor
from ops.cli.apps.lookup import find_app
from ops.cli.apps.secrets import make_vault, print_secret
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say
from storage.model.action_link import is_absolute_url, is_redirect_host
from storage.model.errors import CallerError
from storage.model.networks import parse_network
from storage.postgres.acts import apps as acts
from storage.postgres.people.app_changes import AppChanges
from storage.postgres.people.apps import NewApp

# It stands in headers, in URLs and in the text that is signed (contract §1).
_APP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CALLBACK = "Where single sign-on leads: https://..."


@click.command()
@click.argument("app_id")
@click.option("--name", required=True, help="Shown to people.")
@click.option("--callback-url", required=True, help=_CALLBACK)
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
    if not _APP_ID.fullmatch(app_id):
        raise CallerError(
            f"“{app_id}” cannot be an app id: up to 64 letters, digits, and . _ - between them."
        )
    _check(name=name, callback_url=callback_url)
    hosts = _parse_hosts(redirect_hosts)
    new = NewApp(app_id, name, callback_url, hosts, description, category or None, protocol)
    with open_database() as database:
        made, secret = database.transaction(acts.add, find_actor(), new=new, vault=make_vault())
    print_secret(made, secret, as_json=as_json)


@click.command()
@click.argument("app_id")
@click.option("--name", help="Shown to people.")
@click.option("--callback-url", help=_CALLBACK)
@click.option("--add-host", multiple=True, metavar="H", help="Buttons may lead there too.")
@click.option("--remove-host", multiple=True, metavar="H", help="Buttons may not any more.")
@click.option("--only-host", multiple=True, metavar="H", help="In place of all there are.")
@click.option("--no-hosts", is_flag=True, help="Buttons may lead to the callback's host alone.")
@click.option("--description", help="Shown to people; empty for none.")
@click.option("--category", help="Groups apps; made when it is new, empty for none.")
@click.option(
    "--allow-from",
    multiple=True,
    metavar="CIDR",
    help="Calls may come from these networks alone, in place of all there are.",
)
@click.option("--allow-from-anywhere", is_flag=True, help="Calls may come from any address.")
def update(
    *,
    app_id: str,
    name: str | None,
    callback_url: str | None,
    add_host: tuple[str, ...],
    remove_host: tuple[str, ...],
    only_host: tuple[str, ...],
    no_hosts: bool,
    description: str | None,
    category: str | None,
    allow_from: tuple[str, ...],
    allow_from_anywhere: bool,
) -> None:
    """Change what is given of an app; the rest stays. Running processes know it within seconds."""
    if no_hosts and only_host:
        raise click.UsageError("Say --only-host or --no-hosts, not both.")
    if allow_from_anywhere and allow_from:
        raise click.UsageError("Say --allow-from or --allow-from-anywhere, not both.")
    _check(name=name, callback_url=callback_url)
    changes = AppChanges(
        name=name,
        callback_url=callback_url,
        description=description,
        category=category,
        hosts=_parse_hosts(only_host) if only_host or no_hosts else None,
        added_hosts=_parse_hosts(add_host),
        removed_hosts=tuple(host.lower() for host in remove_host),
        allowed_networks=_parse_networks(allow_from) if allow_from or allow_from_anywhere else None,
    )
    if changes == AppChanges():
        raise click.UsageError("Say what is to change; `carillon app update --help` has the list.")
    with open_database() as database:
        id = find_app(database, app_id).id
        after = database.transaction(acts.change, find_actor(), id=id, changes=changes)
    hosts = ", ".join(after.redirect_hosts) or "none but the callback's"
    networks = ", ".join(after.allowed_networks) or "anywhere"
    say(f"name        {after.name}\ncallback    {after.callback_url}\nhosts       {hosts}")
    say(f"calls from  {networks}")


@click.command("require-signature")
@click.argument("app_id")
@click.argument("version", type=click.Choice(["1", "2"]))
def require_signature(*, app_id: str, version: str) -> None:
    """Refuse the app's calls that are signed in an older version than this one.

    Version 2 covers the whole request, and each works once; 1, the default, covers the app's id and the time.
    """
    changes = AppChanges(signature_version=int(version))
    with open_database() as database:
        id = find_app(database, app_id).id
        database.transaction(acts.change, find_actor(), id=id, changes=changes)
    say(f"App {app_id} must sign in version {version} or newer.")


def _check(*, name: str | None, callback_url: str | None) -> None:
    """Raise CallerError if an app could never work with these; None: it has others already."""
    if name is not None and not name.strip():
        raise CallerError("The name is empty.")
    if callback_url is not None and not is_absolute_url(callback_url):
        raise CallerError(f"“{callback_url}” is not an absolute http(s) URL.")


def _parse_networks(given: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(parse_network(text) for text in given))
    except ValueError as error:
        raise CallerError(str(error)) from error


def _parse_hosts(given: Iterable[str]) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in given)
    for host in hosts:
        if not is_redirect_host(host):
            raise CallerError(f"“{host}” is not a host, such as oa.example.com or *.example.com.")
    return hosts
