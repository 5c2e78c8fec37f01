"""`carillon user export` and `carillon user erase`: handing over a person's data, and erasing it (docs/operations/personal-data.md)."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import click

from ops.cli.actor import find_actor
from ops.cli.servers import open_bus, open_database
from ops.cli.terminal.printing import say
from storage.model.erasure import Erasure
from storage.model.errors import CallerError, NotFound, TransientError
from storage.model.message import MAX_ID
from storage.postgres import audit
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import directory
from storage.postgres.personal_data import erasures
from storage.postgres.personal_data.export import export_person

_USER_ID = click.IntRange(1, MAX_ID)
_LOOK_EVERY_SECONDS = 1.0


@click.command()
@click.argument("id", type=_USER_ID)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A new file, for its owner's eyes only."
)
def export(*, id: int, output: Path | None) -> None:
    """Write everything that is kept about a person, a JSON object a line.

    `kind` says what each is: profile, account, conversation, message, waiting (sent and not delivered
    yet), upload. The objects of uploads are in the media store, by their key.
    """
    with open_database() as database:
        if output is None:
            count = _export(database, id, write=lambda record: say(json.dumps(record)))
        else:
            with _open_new(output) as file:
                count = _export(
                    database,
                    id,
                    write=lambda record: print(json.dumps(record, ensure_ascii=False), file=file),
                )
    say(f"{count:,} records.", err=True)


def _export(database: BlockingDatabase, id: int, *, write: Callable[[dict[str, Any]], None]) -> int:
    count = 0
    for record in export_person(database.transaction, id):
        if not count:
            _record_export(database, id)
        write(record)
        count += 1
    return count


def _record_export(database: BlockingDatabase, id: int) -> None:
    database.transaction(audit.record, find_actor(), act="user.export", target=f"user {id}")


def _open_new(path: Path) -> TextIO:
    """A new file that only its owner can read; what is there already stays."""
    try:
        return os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        )
    except FileExistsError as error:
        raise CallerError(f"{path} is there already.") from error
    except OSError as error:
        raise CallerError(f"{path} cannot be written: {error.strerror}.") from error


@click.command()
@click.argument("id", type=_USER_ID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--watch", is_flag=True, help="Show how it goes until it is finished.")
def erase(*, id: int, yes: bool, watch: bool) -> None:
    """Erase a person for good: name, mobile, accounts, and every message that they received.

    What they wrote to others stays there, without a name. They are signed out at once; the rest is
    done by upkeep, in a few minutes. Safe to repeat.
    """
    with open_database() as database:
        if not yes:
            _confirm(database, id)
        begun = database.transaction(erasures.begin, id, actor=find_actor())
        _sign_out(id)
        say(
            f"User {id} has no name and no way in any more. How far the rest is: carillon user show {id}"
        )
        if watch:
            _follow(database, begun)


def _confirm(database: BlockingDatabase, id: int) -> None:
    person = database.transaction(directory.find, id)
    if person is None:
        raise NotFound(f"There is no user {id}.")
    say(
        f"{person.name} ({person.mobile or 'no mobile'}) will be gone for good; a backup is the only way back."
    )
    click.confirm("Go on?", abort=True)


def _sign_out(id: int) -> None:
    try:
        with open_bus() as bus:
            bus.disable(id, at_ms=int(time.time() * 1000))
    except TransientError as error:
        raise TransientError(
            f"{error.detail} The erasure is begun. An open socket may stay until Valkey is back: then workers tell the "
            "gateways within seconds."
        ) from error


def _follow(database: BlockingDatabase, erasure: Erasure) -> None:
    told = ""
    found: Erasure | None = erasure
    while found is not None:
        line = describe_erasure(found)
        if line != told:
            say(line)
            told = line
        if found.finished_at is not None:
            return
        time.sleep(_LOOK_EVERY_SECONDS)
        found = database.transaction(erasures.find, erasure.user_id)


def describe_erasure(found: Erasure) -> str:
    """One line that says how far an erasure is."""
    state = "finished" if found.finished_at else f"at the step “{found.step}”"
    counts = (
        f"{found.deliveries:,} copies of messages, {found.sends:,} sends on their way, "
        f"{found.messages:,} messages that nobody has, {found.media:,} uploads are gone"
    )
    error = f"; it rests: {found.error}" if found.error else ""
    return f"{state}: {counts}{error}."


def show_erasure(found: Erasure) -> dict[str, Any]:
    """An erasure for `carillon user show`, as JSON has it."""
    return {
        "requested_at": found.requested_at.isoformat(),
        "requested_by": found.requested_by,
        "step": found.step,
        "deliveries": found.deliveries,
        "sends": found.sends,
        "messages": found.messages,
        "media": found.media,
        "error": found.error,
        "finished_at": found.finished_at.isoformat() if found.finished_at else None,
    }
