"""`carillon user`: the organisation's people come in, are looked at, and are let in or shut out."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Column, Table

from ops.cli.actor import find_actor
from ops.cli.personal_data import erase, export, show_erasure
from ops.cli.servers import open_bus, open_database
from ops.cli.terminal.printing import make_console, say, say_json
from ops.cli.terminal.progress import CountedItems, file_bar
from ops.csv_rows import BadRow, check_encoding, parse_digits, parse_user_id, read_rows
from storage.model.caller import ACTIVE, DISABLED, Person
from storage.model.errors import NotFound, TransientError
from storage.model.message import MAX_ID
from storage.postgres.acts import people
from storage.postgres.people import directory
from storage.postgres.people.people_import import Changes, Imported, NewPerson
from storage.postgres.personal_data import erasures

COLUMNS = ("id", "mobile", "name", "english_name", "status", "role")
STATUSES = (ACTIVE, "INACTIVE", DISABLED)
# Roles are the organisation's; only ADMIN means something here. A word, so that a slip is noticed.
_ROLE = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_LONGEST = 255


@click.group()
def user() -> None:
    """People: import them, show one, shut one out, export or erase one."""


user.add_command(export)
user.add_command(erase)


@user.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--encoding", default="utf-8", show_default=True, callback=check_encoding)
def import_(*, file: Path, encoding: str) -> None:
    """Add the people of a CSV file, or bring them up to date: all of them or, on an error, none.

    Its first row names the columns: id, mobile, name, english_name, status (ACTIVE, INACTIVE or
    DISABLED) and role (ADMIN, or any other word). An empty status or role stays as it is; of someone new
    it is ACTIVE, ORDINARY_USER. People who are not in the file stay as they are.
    """
    # The role that owns an index may build it after a first import; row by row takes longer.
    with open_database(as_owner=True) as database, file_bar(file, "Reading") as (advance, go_on):
        read = read_rows(file, COLUMNS, encoding=encoding, advance=advance)
        count = CountedItems(parse_people(read), then=lambda: go_on("Writing"))
        done = database.transaction(people.import_people, find_actor(), people=count)
    say(
        f"{count.number} people: {done.added} new, {done.changed} changed, "
        f"{count.number - done.added - done.changed} as before."
    )
    if done.erased:
        say(f"{done.erased} who were erased are left out.")
    if done.changed:
        say(f"Changed: {_describe(done.changes)}.")
    _tell_gateways(done)


def _describe(changes: Changes) -> str:
    counted = {
        "shut out": changes.shut_out,
        "let in again": changes.let_in,
        "given another role": changes.roles,
        "given another name": changes.names,
        "given another mobile": changes.mobiles,
    }
    return ", ".join(f"{number} {what}" for what, number in counted.items() if number)


def parse_people(read: Iterable[tuple[int, list[str]]]) -> Iterator[NewPerson]:
    """The rows of a file as people; raises BadRow for the first row that describes none."""
    seen: dict[int, int] = {}
    for number, values in read:
        text, mobile, name, english_name, status, role = values
        mobile = parse_digits(mobile, number=number, column="mobile")
        id = parse_user_id(text, number=number, largest=MAX_ID)
        if seen.setdefault(id, number) != number:
            raise BadRow(number, f"the id {id} is in row {seen[id]} already")
        if max(len(mobile), len(name), len(english_name)) > _LONGEST:
            raise BadRow(number, f"a name or mobile is longer than {_LONGEST} characters")
        status, role = status.upper(), role.upper()
        if status and status not in STATUSES:
            raise BadRow(number, f"“{status[:40]}” is not a status ({', '.join(STATUSES)})")
        if role and not _ROLE.fullmatch(role):
            raise BadRow(number, f"“{role[:40]}” is not a role (a word such as ADMIN)")
        yield NewPerson(id, mobile, name, english_name, status, role)


@user.command()
@click.argument("id", type=click.IntRange(1, MAX_ID))
def show(*, id: int) -> None:
    """Show one person, as JSON."""
    with open_database() as database:
        person = database.transaction(directory.find, id)
        erasure = database.transaction(erasures.find, id)
    if person is None:
        raise NotFound(f"There is no user {id}.")
    say_json(asdict(person) | ({"erasure": show_erasure(erasure)} if erasure else {}))


@user.command("list")
@click.option("--keyword", default="", help="Part of the name, English name or mobile.")
@click.option("--status", type=click.Choice(STATUSES), help="Of this status only.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option(
    "--after", "after_id", default=0, type=click.IntRange(0, MAX_ID), help="Continue after this id."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_(*, keyword: str, status: str | None, limit: int, after_id: int, as_json: bool) -> None:
    """List people by id, page by page."""
    with open_database() as database:
        # One more, to know whether there are more.
        found = database.transaction(
            directory.list_after, keyword, status=status, after_id=after_id, limit=limit + 1
        )
    shown = found[:limit]
    if as_json:
        for one in shown:
            say(json.dumps(asdict(one), ensure_ascii=False))
    else:
        _print_table(shown)
    if len(found) > limit:
        say(f"There are more: --after {shown[-1].id}", err=True)


def _print_table(people: list[Person]) -> None:
    whole_id = Column("id", no_wrap=True)  # it is what the other commands ask for
    table = Table(whole_id, "name", "English name", "mobile", "status", "role")
    for one in people:
        status = f"{one.status} (deleted)" if one.is_deleted else one.status
        table.add_row(str(one.id), one.name, one.english_name, one.mobile, status, one.role)
    make_console().print(table if people else "There is nobody.")


@user.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.IntRange(1, MAX_ID))
def disable(*, ids: tuple[int, ...]) -> None:
    """Shut people out: their tokens stop working and their sockets are closed. Safe to repeat."""
    _set_status(ids, DISABLED, done="disabled")


@user.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.IntRange(1, MAX_ID))
def enable(*, ids: tuple[int, ...]) -> None:
    """Let people in again. Safe to repeat."""
    _set_status(ids, ACTIVE, done="enabled")


def _set_status(ids: tuple[int, ...], status: str, *, done: str) -> None:
    """Change the record first and tell the gateways then: a gateway that is told too early lets them in again."""
    actor = find_actor()
    with open_database() as database, open_bus() as bus:
        for id in ids:
            database.transaction(people.set_status, actor, id=id, status=status)
            if status == ACTIVE:
                bus.enable(id)
            else:
                bus.disable(id, at_ms=int(time.time() * 1000))
            say(f"User {id} is {done}.")


def _tell_gateways(done: Imported) -> None:
    """Tell gateways who was shut out and let in. What cannot be told now, workers tell later (`workers/disabled_users.py`).

    Raises TransientError if Valkey is away.
    """
    if not done.shut_out and not done.let_in:
        return
    try:
        with open_bus() as bus:
            bus.enable(*done.let_in)
            bus.disable(*done.shut_out, at_ms=int(time.time() * 1000))
    except TransientError as error:
        raise TransientError(
            f"{error.detail} The people are imported. Who was shut out may stay connected, and who was let in is "
            "refused, until Valkey is back: then workers tell the gateways within seconds."
        ) from error
