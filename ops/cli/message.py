"""`carillon message`: look how far one message of any sender is, or take it back.

It works on the record: it needs no secret and no token. What people wrote is shown only if it is asked for.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from ops.cli.actor import find_actor
from ops.cli.broadcasts import begin_recall
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say, say_json
from storage.model.errors import NotFound
from storage.postgres.acts import sends
from storage.postgres.database import BlockingDatabase
from storage.postgres.messages import lookup, trails
from storage.postgres.messages.lookup import FoundMessage

_WRITTEN = ("title", "content", "action_url", "action_text", "filename")


@click.group()
def message() -> None:
    """One message: show how far it has come, recall it."""


@message.command()
@click.argument("id", type=int)
@click.option("--with-text", is_flag=True, help="Also what people wrote: title, content, button.")
def show(*, id: int, with_text: bool) -> None:
    """Its people, its app, its status and its way so far, as JSON; that its text was read is in the audit."""
    with open_database() as database:
        trail = database.transaction(trails.find_trail, id)
        if trail is None:
            raise NotFound(f"There is no message {id}.")
        if with_text:
            database.transaction(sends.read_content, find_actor(), id=id)
    found = trail.found
    fields = found.message._asdict()
    told = {name: value for name, value in fields.items() if with_text or name not in _WRITTEN}
    way = asdict(trail)
    del way["found"]
    shown = told | {"status": found.status, "held": found.is_held, "read_at": found.read_at} | way
    say_json(_to_json(shown))


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _to_json(one) for name, one in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


@message.command()
@click.argument("id", type=int)
def recall(*, id: int) -> None:
    """Take it back, wherever it is on its way; a broadcast chunk by chunk. Safe to repeat."""
    with open_database() as database:
        found = _find(database, id)
        if found.message.is_broadcast:
            begin_recall(database, id)
            say(f"It is being taken back: carillon broadcasts show {id} --watch")
            return
        is_new = database.transaction(sends.recall_message, find_actor(), found=found)
    say("It is recalled." if is_new else "It was recalled before.")


def _find(database: BlockingDatabase, id: int) -> FoundMessage:
    found = database.transaction(lookup.find_message, id)
    if found is None:
        raise NotFound(f"There is no message {id}.")
    return found
