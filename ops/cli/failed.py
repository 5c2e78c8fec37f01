"""`carillon failed`: the dead letters. Look at them, send them again, or give them up."""

import click
from rich.table import Column, Table

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say, say_json
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings
from storage.model.errors import NotFound
from storage.postgres.acts import sends
from storage.postgres.database import BlockingDatabase
from storage.postgres.sends import failed_sends
from storage.postgres.sends.failed_sends import FailedSend
from storage.settings import load


@click.group()
def failed() -> None:
    """Sends that could not be delivered after every attempt."""


@failed.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--before", "before_id", type=int, help="Continue before this id.")
def list_(*, limit: int, before_id: int | None) -> None:
    """Show the newest first."""
    with open_database() as database:
        letters = database.transaction(failed_sends.list_failed, limit=limit, before_id=before_id)
    # What the other commands take is shown whole, however narrow the terminal.
    whole_id = Column("id", no_wrap=True, min_width=16)
    table = Table(whole_id, "failed at", "attempts", "type", "receiver", "error")
    for letter in letters:
        payload = letter.payload
        receiver = payload.get("receiver_id") or ("everyone" if payload["is_broadcast"] else "")
        table.add_row(
            str(letter.id),
            letter.failed_at.strftime("%Y-%m-%d %H:%M:%S"),
            str(letter.attempts),
            payload["type"],
            str(receiver),
            letter.error,
        )
    make_console().print(table if letters else "Nothing has failed.")


@failed.command()
@click.argument("id", type=int)
def show(*, id: int) -> None:
    """Show one whole, as JSON, with what was written in it; the audit says that you did."""
    letter = _find(id)
    shown = {"id": letter.id, "error": letter.error, "attempts": letter.attempts}
    shown |= {"failed_at": letter.failed_at.isoformat(), "send": letter.payload}
    say_json(shown)


def _find(id: int) -> FailedSend:
    with open_database() as database:
        letter = database.transaction(sends.read_failed, find_actor(), id=id)
    if letter is None:
        raise NotFound(f"There is no failed send {id}.")
    return letter


@failed.command()
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every one there is.")
def replay(*, ids: tuple[int, ...], is_all: bool) -> None:
    """Let them be sends again, with their old ids (new ones, if retention has dropped their month)."""
    with open_database() as database:
        chosen = _choose(database, ids, is_all=is_all)
        replayed = database.transaction(sends.replay_failed, find_actor(), ids=chosen)
    doorbell = Doorbell(load(QueueSettings, read_environment()))
    doorbell.ring(SENDS)
    doorbell.close()
    for old, new in replayed.items():
        if old != new:
            say(f"{old} is sent as {new}: retention has dropped its month.")
    _print_outcome("Replayed", list(replayed), ids)


@failed.command()
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every one there is.")
@click.confirmation_option(prompt="They will be gone for good. Go on?")
def drop(*, ids: tuple[int, ...], is_all: bool) -> None:
    """Give them up for good."""
    with open_database() as database:
        chosen = _choose(database, ids, is_all=is_all)
        dropped = database.transaction(sends.drop_failed, find_actor(), ids=chosen)
    _print_outcome("Dropped", dropped, ids)


def _choose(database: BlockingDatabase, ids: tuple[int, ...], *, is_all: bool) -> list[int]:
    if is_all == bool(ids):
        raise click.UsageError("Name ids, or say --all.")
    if not is_all:
        return list(ids)
    return [letter.id for letter in database.transaction(failed_sends.list_failed, limit=1_000_000)]


def _print_outcome(done: str, found: list[int], asked: tuple[int, ...]) -> None:
    say(f"{done} {len(found)}.")
    missing = sorted(set(asked) - set(found))
    if missing:
        raise NotFound(f"There is no failed send {', '.join(map(str, missing))}.")
