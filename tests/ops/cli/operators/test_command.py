"""`carillon operator`: operators are added, listed, let in and out."""

import json
from collections.abc import Mapping

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from ops.cli import main
from storage.keys.passwords import is_password
from storage.postgres import operators
from tests.ops.cli.command import carillon, refusal

pytestmark = pytest.mark.quick


def fits(engine: Engine, name: str, password: str) -> bool:
    """Whether the operator can sign in with this password."""
    with engine.begin() as connection:
        return is_password(password, operators.find_password_hash(connection, name))


def test_an_operator_is_added_with_a_password_that_is_made(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """A new operator's password is printed once, fits, and is in no list."""
    made = carillon(environ, "operator", "add", "wang", "--role", "operator", "--json")
    told = json.loads(made.stdout)
    assert (told["name"], told["role"], told["disabled_at"]) == ("wang", "operator", None)
    assert fits(engine, "wang", told["password"])
    listed = carillon(environ, "operator", "list", "--json").stdout
    assert [one["name"] for one in json.loads(listed)] == ["wang"]
    assert told["password"] not in listed
    again = carillon(environ, "operator", "add", "wang", "--role", "viewer")
    assert "There already is an operator wang." in refusal(again)


def test_a_password_can_be_asked_for(environ: Mapping[str, str], engine: Engine) -> None:
    """With --prompt the password is asked for twice and never printed; a short one is refused."""

    def add(name: str, typed: str) -> tuple[int, str]:
        arguments = ["operator", "add", name, "--role", "admin", "--prompt"]
        done = CliRunner().invoke(main, arguments, env=dict(environ), input=f"{typed}\n{typed}\n")
        return done.exit_code, done.output

    code, output = add("wang", "correct horse battery")
    assert (code, "correct horse" in output) == (0, False)
    assert fits(engine, "wang", "correct horse battery")
    code, output = add("li", "short")
    assert (code, "this one has 5" in output) == (1, True)


def test_an_operator_is_let_out_and_in_and_given_role_and_password(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """Disabling, enabling, another role and another password do what they say."""
    old = json.loads(
        carillon(environ, "operator", "add", "wang", "--role", "viewer", "--json").stdout
    )
    assert carillon(environ, "operator", "disable", "wang").stdout == "Operator wang is disabled.\n"
    assert not fits(engine, "wang", old["password"])
    assert carillon(environ, "operator", "enable", "wang").stdout == "Operator wang is enabled.\n"
    assert fits(engine, "wang", old["password"])
    assert (
        carillon(environ, "operator", "role", "wang", "admin").stdout
        == "Operator wang is admin now.\n"
    )
    told = carillon(environ, "operator", "password", "wang").stdout
    assert not fits(engine, "wang", old["password"])
    [new] = [line.split()[1] for line in told.splitlines() if line.startswith("password")]
    assert fits(engine, "wang", new)
    last = carillon(environ, "operator", "disable", "wang")
    assert "wang is the last admin" in refusal(last)
    with_token = {**environ, "CARILLON_CONSOLE_TOKEN": "the token of these tests"}
    assert carillon(with_token, "operator", "disable", "wang").exit_code == 0


@pytest.mark.parametrize("name", ["token", "carillon", "cli:root", "王", ""])
def test_a_name_that_cannot_be_is_a_sentence(environ: Mapping[str, str], name: str) -> None:
    """A name that no operator can have is refused with what would be right."""
    assert "cannot be an operator's name" in refusal(
        carillon(environ, "operator", "add", name, "--role", "viewer")
    )


@pytest.mark.parametrize("command", [("disable",), ("enable",), ("password",), ("role", "admin")])
def test_an_unknown_operator_is_a_sentence(
    environ: Mapping[str, str], command: tuple[str, ...]
) -> None:
    """A name that nobody has is named, with exit code 1."""
    verb, *rest = command
    done = carillon(environ, "operator", verb, "nobody", *rest)
    assert "There is no operator nobody." in refusal(done)
