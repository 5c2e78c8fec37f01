"""`carillon unpublished`: events that cannot be published, each alone. Look at them, or have them tried now."""

import click
from rich.table import Column, Table

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings
from storage.postgres.acts import sends
from storage.postgres.messages import unpublished as events
from storage.settings import load


@click.group()
def unpublished() -> None:
    """Messages that are in the histories, and whose event cannot be published."""


@unpublished.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_(*, limit: int) -> None:
    """Show the oldest first: since when it has been tried, and why it cannot be done."""
    with open_database() as database:
        found = database.transaction(events.list_set_aside, limit=limit)
    whole_id = Column("message", no_wrap=True, min_width=16)
    table = Table(whole_id, "attempts", "next try", "error")
    for one in found:
        when = one.try_at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(one.what, str(one.attempts), when, one.error)
    make_console().print(table if found else "Nothing is set aside.")


@unpublished.command()
def retry() -> None:
    """Have all of them tried now, instead of after their pause."""
    with open_database() as database:
        count = database.transaction(sends.retry_unpublished, find_actor())
    doorbell = Doorbell(load(QueueSettings, read_environment()))
    doorbell.ring(SENDS)
    doorbell.close()
    say(f"{count} will be tried now.")
