"""`carillon callbacks`: apps' endpoints, to which events are pushed: look at them, try, resume, tell again.

It works on the record. What an app is told, and where, is `carillon app callback`.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from ops.cli.actor import find_actor
from ops.cli.apps.lookup import find_app
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say, say_json
from ops.local.polling import wait_until
from storage.model.errors import NotFound, PermanentError
from storage.postgres.acts import endpoints as acts
from storage.postgres.app_events.endpoint_lines import EndpointLine, list_endpoints

_WHEN = "%Y-%m-%d %H:%M:%S"


@click.group()
def callbacks() -> None:
    """Apps' endpoints: list, show, test, resume, replay."""


@callbacks.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def list_(*, as_json: bool) -> None:
    """Every app that asked for events; those that are stopped or fail first."""
    with open_database() as database:
        lines = database.transaction(list_endpoints)
    if as_json:
        say_json([_show(one) for one in lines])
        return
    table = Table("app", "endpoint", "status", "failures", "waiting", "oldest", "next try", "last error")  # fmt: skip
    for one in lines:
        counts = (f"{one.failures:,}", f"{one.waiting:,}")
        status = one.status if one.is_active else f"{one.status} (app disabled)"
        whens = [at.astimezone().strftime(_WHEN) if at else "" for at in (one.oldest_at, one.next_try_at)]  # fmt: skip
        table.add_row(one.app_id, one.url or "pulls", status, *counts, *whens, one.last_error or "")
    make_console().print(table if lines else "No app has asked for events: carillon app callback.")


@callbacks.command()
@click.argument("app_id")
def show(*, app_id: str) -> None:
    """All of one app's endpoint, as JSON; `last_error` is what came of its last call."""
    with open_database() as database:
        lines = database.transaction(list_endpoints, id=find_app(database, app_id).id)
    if not lines:
        raise NotFound(f"App {app_id} has not asked for events.")
    say_json(_show(lines[0]))


@callbacks.command()
@click.argument("app_id")
@click.option("--wait", "seconds", default=20.0, show_default=True, type=click.FloatRange(0, 600))
def test(*, app_id: str, seconds: float) -> None:
    """Have the callbacks worker push an event of the type callback.test, and say what came of it.

    It comes in its turn, behind what waits already. Exit code 1 if it is not taken within the wait.
    """
    with open_database() as database:
        id = find_app(database, app_id).id
        number = database.transaction(acts.write_test, find_actor(), id=id)

        def is_decided() -> bool:
            found = database.transaction(acts.find_test_outcome, id=id, number=number)
            return found.is_taken or found.last_error is not None

        wait_until(is_decided, seconds=seconds)
        outcome = database.transaction(acts.find_test_outcome, id=id, number=number)
    if not outcome.is_taken:
        raise PermanentError(outcome.last_error or f"Nobody took it in {seconds:g} s: does a callbacks worker run?")  # fmt: skip
    say(f"The endpoint of {app_id} took it.")


@callbacks.command()
@click.argument("app_id")
def resume(*, app_id: str) -> None:
    """Call an endpoint again at once: one that is PAUSED, OFF or rests after a failure. Safe to repeat."""
    with open_database() as database:
        database.transaction(acts.resume, find_actor(), id=find_app(database, app_id).id)
    say(f"The endpoint of {app_id} is called again; what waits is told in its order.")


@callbacks.command()
@click.argument("app_id")
@click.option("--from", "seq", required=True, type=int, metavar="SEQ", help="The first to tell.")
def replay(*, app_id: str, seq: int) -> None:
    """Tell an app again all from the number SEQ on that is kept, each under the name it had."""
    with open_database() as database:
        id = find_app(database, app_id).id
        count = database.transaction(acts.replay, find_actor(), id=id, seq=seq)
    say(f"{count:,} events are told again.")


def _show(one: EndpointLine) -> dict[str, Any]:
    return {name: _to_json(value) for name, value in asdict(one).items()}


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
