"""Operators at the console: added, let in and out, and what they may do to one another."""

from collections.abc import Mapping

import pytest
from sqlalchemy import Engine

from storage.model.operator import Role
from tests.ingest.api_server import Api, run_api
from tests.ingest.console.pages import (
    PASSWORD,
    act_as,
    add_operator,
    get,
    post,
    read_audit,
    sign_in,
)


def test_an_operator_is_added_with_a_password_that_is_shown_once(
    console: Api, engine: Engine
) -> None:
    """A new operator's password is in the answer and works; nothing else shows it, and a second of the name is 409."""
    made = post(console, "operators", json={"name": " Wang.Li ", "role": "operator"})
    assert made.status_code == 200
    assert (made.json()["name"], made.json()["role"]) == ("wang.li", "operator")
    password = made.json()["password"]
    assert post(console, "operators", json={"name": "wang.li", "role": "admin"}).status_code == 409
    listed = get(console, "operators")
    assert [(one["name"], one["disabled_at"]) for one in listed.json()] == [("wang.li", None)]
    shown = listed.text + get(console, "audit").text
    assert password not in shown
    assert "scrypt" not in shown
    [row] = read_audit(engine, act="operator.add")
    assert (row.who, row.target, row.after) == (
        "token",
        "operator wang.li",
        {"role": "operator"},
    )
    assert sign_in(console, "Wang.Li", password=password).json()["name"] == "wang.li"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "token", "role": "admin"},
        {"name": "cli:root", "role": "admin"},
        {"name": "", "role": "admin"},
        {"name": "w" * 300, "role": "admin"},
        {"name": "wang", "role": "king"},
        {"name": "wang"},
        {"name": "wa\0ng", "role": "admin"},
    ],
    ids=lambda body: str(body)[:40],
)
def test_an_operator_that_cannot_be_is_422(console: Api, body: dict[str, str]) -> None:
    """A name or role that no operator can have is refused with the field's name."""
    answer = post(console, "operators", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"]


def test_a_disabled_operator_is_out_at_once_in_every_process(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Disabling ends the sessions of an operator in all processes; enabled again they have to sign in anew."""
    environ = {**own_environ, "CARILLON_CONSOLE_TOKEN": "the operator's token of these tests"}
    add_operator(engine, "wang")
    add_operator(engine, "li", role=Role.ADMIN)
    with run_api(environ, engine) as one, run_api(environ, engine) as other:
        assert sign_in(one, "li").status_code == sign_in(other, "wang").status_code == 200
        assert get(other, "look").status_code == 200
        assert post(one, "operators/wang/disable").status_code == 200
        assert get(other, "look").status_code == 401
        cookies = dict(other.client.cookies)
        assert sign_in(other, "wang").status_code == 401
        assert post(one, "operators/wang/enable").status_code == 200
        other.client.cookies.update(cookies)
        assert get(other, "look").status_code == 401
        assert sign_in(other, "wang").status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(console: Api, engine: Engine) -> None:
    """Who gets a new password is signed out, and the one before does not work any more."""
    add_operator(engine, "wang")
    with act_as(console, "wang"):
        cookies = dict(console.client.cookies)
    password = post(console, "operators/wang/password").json()["password"]
    console.client.cookies.clear()
    console.client.cookies.update(cookies)
    assert get(console, "me").status_code == 401
    assert sign_in(console, "wang").status_code == 401
    assert sign_in(console, "wang", password=password).status_code == 200


def test_operators_choose_their_own_password(console: Api, engine: Engine) -> None:
    """Who knows their current password may set another of twelve characters or more; the token is no password."""
    add_operator(engine, "wang", role=Role.VIEWER)
    new = "another password"
    assert post(console, "me/password", json={"current": "", "password": new}).status_code == 403
    assert sign_in(console, "wang").status_code == 200
    short = post(console, "me/password", json={"current": PASSWORD, "password": "short"})
    wrong = post(console, "me/password", json={"current": new, "password": new})
    assert (short.status_code, wrong.status_code) == (422, 422)
    assert "at least 12" in short.json()["detail"][0]["msg"]
    assert "not your current" in wrong.json()["detail"][0]["msg"]
    right = post(console, "me/password", json={"current": PASSWORD, "password": new})
    assert right.status_code == 200
    assert get(console, "me").status_code == 401
    assert sign_in(console, "wang", password=new).status_code == 200


def test_the_last_admin_stays_unless_there_is_a_token(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Without a token the last admin can be neither disabled nor made less; with another admin there they can."""
    environ = {**own_environ, "CARILLON_CONSOLE": "yes"}
    add_operator(engine, "li", role=Role.ADMIN)
    add_operator(engine, "wang")
    with run_api(environ, engine) as api:
        assert sign_in(api, "li").status_code == 200
        refused = post(api, "operators/li/disable")
        assert refused.status_code == 409
        assert "li is the last admin" in refused.json()["detail"]
        assert post(api, "operators/li/role", json={"role": "viewer"}).status_code == 409
        assert post(api, "operators/wang/role", json={"role": "admin"}).status_code == 200
        assert post(api, "operators/li/role", json={"role": "viewer"}).status_code == 200
        assert get(api, "me").json()["role"] == "viewer"
        assert sign_in(api, "", password="").status_code == 401
