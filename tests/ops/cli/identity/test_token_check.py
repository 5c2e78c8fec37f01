"""`carillon token --check`: whether a token would be accepted, and every reason why not."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from ops.cli import main
from tests.builders import add_people
from tests.ops.cli.command import carillon
from tests.services import SECRETS

SECRET = SECRETS["CARILLON_JWT_SECRET"]


@pytest.fixture
def people(environ: Mapping[str, str], engine: Engine) -> Mapping[str, str]:
    """The settings of a database in which 1 is active, 8 disabled and 9 deleted."""
    with engine.begin() as connection:
        add_people(connection, [1])
        add_people(connection, [8], status="DISABLED")
        add_people(connection, [9], is_deleted=True)
    return environ


def make_token(key: str = SECRET, **claims: Any) -> str:
    """A token of these claims, for an hour unless they say otherwise."""
    return jwt.encode({"sub": "1", "exp": int(time.time()) + 3600} | claims, key)


def examine(environ: Mapping[str, str], token: str) -> dict[str, Any]:
    """What the command says of a token, as JSON; its exit code agrees."""
    result = carillon(environ, "token", "--check", token, "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if told["accepted"] else 1)
    assert SECRET not in result.output
    assert token not in result.output
    return told


def test_an_accepted_token_tells_who_it_is(people: Mapping[str, str]) -> None:
    """Of a good token the command shows its claims and the person, on the command line and from stdin."""
    told = examine(people, make_token(name="李"))
    assert told["accepted"]
    assert (told["reasons"], told["claims"]["name"], told["person"]["id"]) == ([], "李", 1)
    given = f"Bearer {make_token()}\n"
    result = CliRunner().invoke(main, ["token", "--check", "-"], env=dict(people), input=given)
    assert result.stdout.startswith("accepted  yes\n"), result.output
    assert "person    1, " in result.stdout


def test_people_who_may_not_sign_in_are_named(people: Mapping[str, str]) -> None:
    """A good token of somebody unknown, disabled or deleted is refused, and the command says which."""
    refused = {id: examine(people, make_token(sub=str(id)))["reasons"] for id in (404, 8, 9)}
    assert refused == {
        404: ["There is no person 404."],
        8: ["Person 8 is not active: DISABLED."],
        9: ["Person 9 is deleted."],
    }


def test_all_reasons_are_given_at_once(people: Mapping[str, str]) -> None:
    """A token that is wrong in several ways is refused with each of them."""
    wrong = make_token("k" * 64, sub="404", exp=int(time.time()) - 60)
    signature, expired, person = examine(people, wrong)["reasons"]
    assert "CARILLON_JWT_SECRET" in signature
    assert expired.startswith("It expired 6")
    assert person == "There is no person 404."


def test_without_a_database_the_rest_is_said(tmp_path: Path) -> None:
    """If the database is not to be had, the token is judged all the same, and that nobody was asked is said."""
    alone = {"CARILLON_DATA_DIR": str(tmp_path), **SECRETS}
    result = carillon(alone, "token", "--check", make_token())
    assert result.stdout.startswith("accepted  yes\n")
    assert "was not looked up" in result.stderr
    away = {**alone, "CARILLON_DATABASE_URL": "postgresql://carillon@127.0.0.1:1/carillon"}
    assert "was not looked up" in examine(away, make_token())["note"]


def test_what_a_token_says_is_plain_text(people: Mapping[str, str]) -> None:
    """A claim with terminal escapes is shown with them written out."""
    result = carillon(people, "token", "--check", make_token(name="\x1b[2J\u202e"))
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_ids_or_a_token() -> None:
    """Without ids and without --check, or with both, it is a usage error."""
    assert CliRunner().invoke(main, ["token"]).exit_code == 2
    assert CliRunner().invoke(main, ["token", "1", "--check", "x"]).exit_code == 2
