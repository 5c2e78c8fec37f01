"""`carillon mapping`: which account of an app is which person."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say
from ops.cli.terminal.progress import CountedItems, file_bar
from ops.csv_rows import BadRow, check_encoding, parse_digits, parse_user_id, read_rows
from storage.model.errors import NotFound
from storage.model.message import MAX_ID
from storage.postgres.acts import people
from storage.postgres.people import apps
from storage.postgres.people.mappings_import import NewMapping, UnknownUser

COLUMNS = ("app_user_id", "user_id", "email")
_LONGEST = 255


@click.group()
def mapping() -> None:
    """The accounts that people have in apps."""


@mapping.command("import")
@click.argument("app_id")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--encoding", default="utf-8", show_default=True, callback=check_encoding)
def import_(*, app_id: str, file: Path, encoding: str) -> None:
    """Add an app's accounts from a CSV file: all of them or, on an error, none.

    Its first row names the columns: app_user_id, user_id, email (may be empty). An account that is
    known already is brought up to date; those that are not in the file stay as they are.
    """
    with open_database() as database, file_bar(file, "Reading") as (advance, go_on):
        app = database.transaction(apps.find, app_id)
        if app is None:
            raise NotFound(f"There is no app {app_id}.")
        read = read_rows(file, COLUMNS, encoding=encoding, advance=advance)
        found = CountedItems(parse_accounts(read), then=lambda: go_on("Writing"))
        try:
            done = database.transaction(
                people.import_mappings, find_actor(), app=app, mappings=found
            )
        except UnknownUser as error:
            raise BadRow(error.number, error.detail.rstrip(".")) from error
    say(f"{done.added} accounts new, {done.changed} changed.")


def parse_accounts(read: Iterable[tuple[int, list[str]]]) -> Iterator[NewMapping]:
    """The rows of a file as accounts; raises BadRow for the first row that describes none."""
    seen: dict[str, int] = {}
    for number, (written, text, email) in read:
        app_user_id = parse_digits(written, number=number, column="app_user_id")
        if not 0 < len(app_user_id) <= _LONGEST or len(email) > _LONGEST:
            raise BadRow(number, f"app_user_id has to have 1 to {_LONGEST} characters, email less")
        if seen.setdefault(app_user_id, number) != number:
            raise BadRow(number, f"“{app_user_id}” is in row {seen[app_user_id]} already")
        id = parse_user_id(text, number=number, largest=MAX_ID, column="user_id")
        yield NewMapping(number, app_user_id, id, email)
