"""`carillon db`: the schema, and what the record needs after a restore."""

from datetime import datetime

import click

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.backup.instants import INSTANT
from ops.cli.servers import open_bus, open_database
from ops.cli.terminal.printing import say
from storage.postgres import restores
from storage.postgres.schema import set_up_roles, upgrade
from storage.settings import DatabaseSettings, load


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def upgrade_schema() -> None:
    """Bring the schema up to date. Safe to repeat, and for several to run at once."""
    upgrade(load(DatabaseSettings, read_environment()))
    say("The database is up to date.", err=True)


@db.command("roles")
@click.option(
    "--admin-url",
    envvar="CARILLON_DATABASE_ADMIN_URL",
    required=True,
    metavar="URL",
    help="The database as a superuser (or CARILLON_DATABASE_ADMIN_URL).",
)
def make_roles(*, admin_url: str) -> None:
    """Make the roles of CARILLON_DATABASE_OWNER_URL and CARILLON_DATABASE_URL, and hand the schema to the first.

    Both have the passwords that their URLs say. Safe to repeat; `carillon db upgrade` comes after it.
    """
    set_up_roles(load(DatabaseSettings, read_environment()), admin_url=admin_url)
    say("The roles are as they must be.", err=True)


@db.command("after-restore")
@click.option(
    "--ids-after",
    type=INSTANT,
    help="Give new messages ids of after this time: if the lost server's clock was ahead.",
)
def begin_anew(*, ids_after: datetime | None) -> None:
    """Make a record that was restored by PostgreSQL's own tools ready, before any process starts on it.

    No id that was given out after the backup is given out again, clients that come back are told RESYNC, and operators
    sign in again. `carillon restore` does all of it by itself. Safe to repeat.
    """
    with open_database(as_owner=True) as record, open_bus() as bus:
        restored = record.transaction(restores.begin_anew, find_actor(), ids_after=ids_after)
        bus.begin_anew()
    say(
        f"Ready: {restored.users:,} people, {restored.apps:,} apps; {restored.accepted:,} accepted sends "
        "are delivered when workers start."
    )
