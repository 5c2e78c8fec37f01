"""`carillon db`: the schema."""

import click

from ops.cli import environment
from ops.cli.printing import say
from storage.database import upgrade
from storage.settings import DatabaseSettings, load


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def upgrade_schema() -> None:
    """Bring the schema up to date. Safe to repeat, and for several to run at once."""
    upgrade(load(DatabaseSettings, environment()))
    say("The database is up to date.", err=True)
