"""Who gets in with what, how often it may be tried, and that answers tell strangers nothing."""

import logging
from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, text

from storage.keys import passwords
from storage.keys.passwords import is_password
from storage.model.errors import OverLimit
from storage.postgres.console_sessions import SignInLimits, try_sign_in
from tests.ingest.api_server import Api, run_api
from tests.ingest.console.pages import (
    CHANGES,
    PASSWORD,
    TOKEN,
    add_operator,
    get,
    read_audit,
    sign_in,
)


def test_an_operator_signs_in_by_name_and_is_told_what_they_may(
    console: Api, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The right name and password open a session; the answer has the role and what it allows, and the audit a row."""
    caplog.set_level(logging.INFO, logger="ingest.console")
    add_operator(engine, "wang")
    answer = sign_in(console, " WANG ")
    shown = {"name": "wang", "role": "operator", "permissions": ["look", "steer"]}
    assert answer.json() == get(console, "me").json() == shown
    assert [row.who for row in read_audit(engine, act="console.sign-in")] == ["wang", "token"]
    assert "The operator wang signed in" in caplog.text
    assert PASSWORD not in caplog.text


def test_the_token_is_the_first_admin(console: Api) -> None:
    """Without a name the password is the token, as text or as JSON, and who has it is an admin."""
    assert get(console, "me").json()["role"] == "admin"
    answer = sign_in(console, "", password=TOKEN)
    assert (answer.status_code, answer.json()["name"]) == (200, "token")
    assert sign_in(console, "token", password=TOKEN).status_code == 401


def test_refusals_are_all_alike(
    console: Api, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown name, a wrong password and somebody disabled get the same status and sentence, after the same work."""
    checked: list[bool] = []

    def check(password: str, stored: str | None) -> bool:
        checked.append(stored is not None)
        return is_password(password, stored)

    monkeypatch.setattr(passwords, "is_password", check)
    add_operator(engine, "wang")
    add_operator(engine, "gone")
    with engine.begin() as connection:
        connection.execute(text("UPDATE operators SET disabled_at = now() WHERE name = 'gone'"))
    cases = (
        ("wang", "a wrong password"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("cli:root", PASSWORD),
    )
    answers = [sign_in(console, name, password=password) for name, password in cases]
    told = {(answer.status_code, answer.json()["detail"]) for answer in answers}
    assert told == {(401, "The name or the password is wrong.")}
    assert checked == [True, False, False, False]


def test_attempts_are_limited_by_name_too(engine: Engine) -> None:
    """Many addresses together may try one name so often and no more; other names and the token are not touched."""
    limits = SignInLimits(of_one=3, of_name=5, of_all=100)
    with engine.begin() as connection:
        for number in range(5):
            try_sign_in(connection, f"192.0.2.{number}", name="wang", limits=limits)
        with pytest.raises(OverLimit):
            try_sign_in(connection, "192.0.2.99", name="wang", limits=limits)
        try_sign_in(connection, "192.0.2.99", name="li", limits=limits)
        for number in range(8):
            try_sign_in(connection, f"192.0.3.{number}", name="", limits=limits)


def test_odd_credentials_are_refused_and_nothing_breaks(console: Api) -> None:
    """A body that is no form, and names and passwords of every kind, are 401, 413 or 422 and never 500."""
    console.client.cookies.clear()
    headers = CHANGES | {"Content-Type": "application/json"}
    for body in ("{", "[]", "{}", '{"name": 7, "password": "x"}', '{"password": "\\u0000"}'):
        answer = console.client.post("/console/api/login", content=body, headers=headers)
        assert answer.status_code == 422, body
    for name in ("x" * 200, "王", "' OR 1=1 --"):
        assert sign_in(console, name).status_code == 401
    assert sign_in(console, "wang", password="x" * 9000).status_code == 413
    assert 'status="500"' not in console.client.get("/metrics").text


def test_there_is_a_console_without_a_token_if_the_setting_says_so(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """With CARILLON_CONSOLE operators sign in by name, and no empty or other token does."""
    add_operator(engine, "wang")
    with run_api({**own_environ, "CARILLON_CONSOLE": "on"}, engine) as api:
        assert sign_in(api, "wang").status_code == 200
        assert get(api, "look").status_code == 200
        assert sign_in(api, "", password="").status_code == 401
        empty = api.client.post("/console/api/login", content="", headers=CHANGES)
        assert empty.status_code == 401
