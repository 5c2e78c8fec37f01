"""`carillon db`: the schema."""

import click

from ops.cli import read_environment
from ops.cli.terminal.printing import say
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
