"""`carillon operator`: who may sign in to the console, and what they may do there."""

from datetime import datetime

import click
from rich.table import Table

from ingest.settings import IngestSettings
from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say, say_json
from storage.keys import passwords
from storage.model.errors import CallerError
from storage.model.operator import Operator, Role, check_operator_name
from storage.postgres import operators
from storage.postgres.acts import operators as acts
from storage.settings import load

_ROLE = click.Choice([role.value for role in Role])
_PROMPT = click.option("--prompt", is_flag=True, help="Ask for the password; else one is made.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
_INSTANT = "%Y-%m-%d %H:%M"


@click.group()
def operator() -> None:
    """Operators of the console: viewers look, operators steer, admins do everything."""


@operator.command()
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="viewer, operator or admin.")
@_PROMPT
@_JSON
def add(*, name: str, role: str, prompt: bool, as_json: bool) -> None:
    """Add an operator. A password that is made is shown once, now."""
    check_operator_name(name)
    password = _choose_password(is_asked=prompt)
    with open_database() as database:
        made = database.transaction(
            acts.add,
            find_actor(),
            name=name,
            role=Role(role),
            password_hash=passwords.hash_password(password),
        )
    _print_password(made, None if prompt else password, as_json=as_json)


@operator.command("list")
@_JSON
def list_(*, as_json: bool) -> None:
    """List every operator, also those who are disabled."""
    with open_database() as database:
        found = database.transaction(operators.list_all)
    if as_json:
        say_json([_show(one) for one in found])
        return
    table = Table("name", "role", "since", "disabled")
    for one in found:
        since, disabled = _print_instant(one.created_at), _print_instant(one.disabled_at)
        table.add_row(one.name, one.role, since, disabled)
    make_console().print(
        table if found else "There are no operators; the console takes the token alone."
    )


@operator.command()
@click.argument("name")
def disable(*, name: str) -> None:
    """Let an operator in no more: their sessions end at once. Safe to repeat."""
    with open_database() as database:
        database.transaction(acts.disable, find_actor(), name=name, has_token=_has_token())
    say(f"Operator {name} is disabled.")


@operator.command()
@click.argument("name")
def enable(*, name: str) -> None:
    """Let an operator in again, with the password that they had. Safe to repeat."""
    with open_database() as database:
        database.transaction(acts.enable, find_actor(), name=name)
    say(f"Operator {name} is enabled.")


@operator.command()
@click.argument("name")
@click.argument("role", type=_ROLE)
def role(*, name: str, role: str) -> None:
    """Give an operator another role, from their next request on."""
    with open_database() as database:
        changed = database.transaction(
            acts.change_role, find_actor(), name=name, role=Role(role), has_token=_has_token()
        )
    say(f"Operator {name} is {changed.role} now.")


@operator.command()
@click.argument("name")
@_PROMPT
@_JSON
def password(*, name: str, prompt: bool, as_json: bool) -> None:
    """Give an operator a new password: their sessions end. One that is made is shown once, now."""
    chosen = _choose_password(is_asked=prompt)
    with open_database() as database:
        changed = database.transaction(
            acts.change_password,
            find_actor(),
            name=name,
            password_hash=passwords.hash_password(chosen),
        )
    _print_password(changed, None if prompt else chosen, as_json=as_json)


def _choose_password(*, is_asked: bool) -> str:
    """A new password: made, or asked for twice. Raises CallerError if it is too short or too long."""
    if not is_asked:
        return passwords.make_password()
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if not passwords.SHORTEST <= len(given) <= passwords.LONGEST:
        raise CallerError(
            f"A password has {passwords.SHORTEST} to {passwords.LONGEST} characters; this one has {len(given)}."
        )
    return given


def _print_password(one: Operator, password: str | None, *, as_json: bool) -> None:
    if as_json:
        say_json(_show(one) | ({} if password is None else {"password": password}))
        return
    say(f"name      {one.name}\nrole      {one.role}")
    if password is not None:
        say(f"password  {password}")
        say("Hand the password over: it is not shown again.", err=True)


def _show(one: Operator) -> dict[str, str | None]:
    return {
        "name": one.name,
        "role": one.role,
        "created_at": one.created_at.isoformat(),
        "disabled_at": None if one.disabled_at is None else one.disabled_at.isoformat(),
    }


def _print_instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone().strftime(_INSTANT)


def _has_token() -> bool:
    return bool(load(IngestSettings, read_environment()).console_token)
