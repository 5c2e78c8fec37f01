"""`carillon app`: business apps. Look at them, let their calls in and keep them out."""

from collections.abc import Iterable
from dataclasses import asdict

import click
from rich.table import Table

from ops.cli.actor import find_actor
from ops.cli.apps.callback import callback
from ops.cli.apps.changes import add, require_signature, update
from ops.cli.apps.lookup import find_app
from ops.cli.apps.secrets import rotate_secret
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say, say_json
from storage.postgres.acts import apps as acts
from storage.postgres.people import app_secrets, apps
from storage.postgres.people.app_secrets import LiveSecret
from storage.postgres.sends.holdings import Holdings, count_holdings

_INSTANT = "%Y-%m-%d %H:%M"


@click.group()
def app() -> None:
    """Business apps: add one, list them, change one, rotate a secret."""


app.add_command(add)
app.add_command(update)
app.add_command(require_signature)
app.add_command(rotate_secret)
app.add_command(callback)


@app.command("list")
def list_() -> None:
    """List every app, and until when its secrets are valid."""
    with open_database() as database:
        found = database.transaction(apps.list_all)
        live = database.transaction(app_secrets.list_live)
    table = Table("id", "app id", "name", "active", "callback", "more hosts", "secrets")
    for one in found:
        hosts = ", ".join(one.redirect_hosts)
        active = "yes" if one.is_active else "no"
        secrets = _describe_secrets(live.get(one.id, ()))
        table.add_row(str(one.id), one.app_id, one.name, active, one.callback_url, hosts, secrets)
    make_console().print(table if found else "There are no apps.")


def _describe_secrets(live: Iterable[LiveSecret]) -> str:
    """Of each valid secret, newest first, when it ends."""
    ends = [
        "valid" if one.ends_at is None else f"until {one.ends_at.astimezone():{_INSTANT}}"
        for one in live
    ]
    return ", ".join(ends) or "none"


@app.command()
@click.argument("app_id")
def show(*, app_id: str) -> None:
    """Show one app, as JSON: what it is, its secrets (not the texts), and what waits while it is disabled."""
    with open_database() as database:
        found = find_app(database, app_id)
        live = database.transaction(app_secrets.list_live).get(found.id, [])
        holdings = database.transaction(count_holdings, found.id)
    secrets = [
        {
            "created_at": one.created_at.isoformat(),
            "ends_at": one.ends_at and one.ends_at.isoformat(),
        }
        for one in live
    ]
    say_json(asdict(found) | {"secrets": secrets, "waiting": asdict(holdings)})


@app.command()
@click.argument("app_id")
def disable(*, app_id: str) -> None:
    """Refuse the app's calls, hide it from people, and hold what it has under way. Safe to repeat."""
    with open_database() as database:
        id = find_app(database, app_id).id
        database.transaction(acts.set_active, find_actor(), id=id, is_active=False)
        holdings = database.transaction(count_holdings, id)
    say(f"App {app_id} is disabled.")
    if holdings.sends or holdings.broadcasts:
        say(_describe_holdings(app_id, holdings))


def _describe_holdings(app_id: str, held: Holdings) -> str:
    return (
        f"Held until it is enabled: {held.sends:,} scheduled sends and {held.broadcasts:,} broadcasts. To stop one for "
        f"good: carillon broadcasts list --app {app_id}, then broadcasts cancel ID; of a send: carillon message recall ID."
    )


@app.command()
@click.argument("app_id")
def enable(*, app_id: str) -> None:
    """Let the app call again; what was held goes on. Safe to repeat."""
    with open_database() as database:
        id = find_app(database, app_id).id
        database.transaction(acts.set_active, find_actor(), id=id, is_active=True)
    say(f"App {app_id} is enabled.")
