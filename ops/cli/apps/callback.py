"""`carillon app callback`: what an app is told of its sends, where, and the key that its calls are signed with."""

import json
from datetime import datetime

import click

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.apps.lookup import find_app
from ops.cli.apps.secrets import make_vault
from ops.cli.servers import open_database
from ops.cli.terminal.moments import Moment
from ops.cli.terminal.printing import say
from storage.model.app_event import AppCallback, AppEventType
from storage.postgres.acts import callbacks as acts
from storage.postgres.acts.callbacks import CallbackChanges
from storage.postgres.app_events import callbacks
from storage.settings import load
from workers.callbacks.settings import CallbackSettings

_TYPES = ", ".join(AppEventType)


@click.command()
@click.argument("app_id")
@click.option("--url", help="Where its events are posted: https://...")
@click.option("--pull-only", is_flag=True, help="No URL: the app asks for its events.")
@click.option("--events", metavar="E,E", help=f"In place of those it has: {_TYPES}.")
@click.option("--rotate", is_flag=True, help="A new key, shown once; the one before ends in a day.")
@click.option("--expires", type=Moment(), help="The one before ends then, such as in 7d.")
@click.option("--remove", is_flag=True, help="Tell it nothing more; forget its events and keys.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def callback(
    *,
    app_id: str,
    url: str | None,
    pull_only: bool,
    events: str | None,
    rotate: bool,
    expires: datetime | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Say what an app is told of its sends, and where; without options, show it.

    With its first URL it gets a key, shown once. Its events can be pulled too, with or without a URL.
    """
    if url is not None and pull_only:
        raise click.UsageError("Say --url or --pull-only, not both.")
    if expires is not None and not rotate:
        raise click.UsageError("--expires goes with --rotate.")
    changes = CallbackChanges(
        url="" if pull_only else url,
        events=None if events is None else _split(events),
        new_secret=rotate,
        old_ends_at=expires,
    )
    if remove and changes != CallbackChanges():
        raise click.UsageError("Say --remove alone.")
    if remove:
        _remove(app_id)
    elif changes == CallbackChanges():
        _show(app_id, as_json=as_json)
    else:
        _change(app_id, changes, as_json=as_json)


def _split(events: str) -> tuple[str, ...]:
    return tuple(name for part in events.split(",") if (name := part.strip()))


def _change(app_id: str, changes: CallbackChanges, *, as_json: bool) -> None:
    allowed = load(CallbackSettings, read_environment()).allowed
    with open_database() as database:
        changed = database.transaction(
            acts.change,
            find_actor(),
            id=find_app(database, app_id).id,
            changes=changes,
            vault=make_vault(),
            allowed=allowed,
        )
    _print(app_id, changed.callback, secret=changed.secret, as_json=as_json)
    if changed.secret and not as_json:
        say("Keep the secret: it is not shown again.", err=True)


def _show(app_id: str, *, as_json: bool) -> None:
    with open_database() as database:
        found = database.transaction(callbacks.find_callback, find_app(database, app_id).id)
    if found is None:
        say("null" if as_json else f"App {app_id} is told nothing.")
    else:
        _print(app_id, found, secret=None, as_json=as_json)


def _remove(app_id: str) -> None:
    with open_database() as database:
        database.transaction(acts.remove, find_actor(), id=find_app(database, app_id).id)
    say(f"App {app_id} is told nothing any more.")


def _print(app_id: str, found: AppCallback, *, secret: str | None, as_json: bool) -> None:
    if as_json:
        shown = {"app_id": app_id, "url": found.url, "events": found.events, "status": found.status}
        say(json.dumps(shown | {"secret": secret}))
        return
    say(f"app id  {app_id}\nurl     {found.url or 'none: it pulls'}")
    say(f"events  {', '.join(found.events)}\nstatus  {found.status}")
    if secret:
        say(f"secret  {secret}")
