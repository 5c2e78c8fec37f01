"""Who is calling (contract §1): which headers are refused, with which sentence, and which are let in."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import Engine, delete, insert, update

from ops.local.polling import wait_until
from storage.postgres.people.apps import Vault, VaultSettings, rotate_secret
from storage.postgres.tables import app_secrets, apps, users
from storage.process.logs import REQUEST_ID
from storage.settings import load
from tests.ingest.api_server import SECRET, Api, sign
from tests.services import SECRETS

Headers = Mapping[str, Any]


def token(
    claims: Mapping[str, Any],
    *,
    key: Any = SECRETS["CARILLON_JWT_SECRET"],
    algorithm: str = "HS256",
) -> Headers:
    """A token of any claims."""
    return {"Authorization": f"Bearer {jwt.encode(dict(claims), key, algorithm=algorithm)}"}


def later() -> int:
    """An hour from now."""
    return int(time.time()) + 3600


def change_headers(headers: Headers, **changes: str | None) -> Headers:
    """The headers of an app's call with some changed, or left out."""
    given = {**headers, **{name.replace("_", "-"): text for name, text in changes.items()}}
    return {name: text for name, text in given.items() if text is not None}


REFUSED: dict[str, Callable[[Api], Headers]] = {
    "no one": lambda api: {},
    "no token": lambda api: {"Authorization": "Bearer"},
    "another scheme": lambda api: {"Authorization": "Basic dTpw"},
    "no token at all": lambda api: {"Authorization": "Bearer not.a.token"},
    "not ASCII": lambda api: {"Authorization": b"Bearer \xff"},
    "expired": lambda api: api.person(1, ttl_seconds=-5),
    "another key": lambda api: token({"sub": "1", "exp": later()}, key="k" * 64),
    "another algorithm": lambda api: token({"sub": "1", "exp": later()}, algorithm="HS512"),
    "no signature": lambda api: token({"sub": "1", "exp": later()}, algorithm="none", key=None),
    "no expiry": lambda api: token({"sub": "1"}),
    "no subject": lambda api: token({"exp": later()}),
    "a subject that is no number": lambda api: token({"sub": "x", "exp": later()}),
    "not yet": lambda api: token({"sub": "1", "exp": later(), "nbf": later() - 60}),
    "an unknown person": lambda api: api.person(404),
    "a disabled person": lambda api: api.person(8),
    "a deleted person": lambda api: api.person(9),
    "an unknown app": lambda api: api.app("none"),
    "a disabled app": lambda api: api.app("closed"),
    "an app with a wrong secret": lambda api: api.app("oa", secret="wrong"),
    "another app's signature": lambda api: change_headers(api.app("crm"), X_App_Id="oa"),
    "301 s old": lambda api: api.app(late_seconds=301),
    "301 s ahead": lambda api: api.app(late_seconds=-301),
    "no timestamp": lambda api: change_headers(api.app(), X_Timestamp=None),
    "no signature of an app": lambda api: change_headers(api.app(), X_Sign=None),
    "an empty signature": lambda api: change_headers(api.app(), X_Sign=""),
    "upper-case hex": lambda api: change_headers(api.app(), X_Sign=api.app()["X-Sign"].upper()),
    "a timestamp with a sign": lambda api: change_headers(
        api.app(), X_Timestamp="+1", X_Sign=sign("app_id=oa&timestamp=+1")
    ),
    "a timestamp of a hundred digits": lambda api: change_headers(api.app(), X_Timestamp="9" * 100),
    "another timestamp than the signed": lambda api: change_headers(
        api.app(), X_Timestamp=str(int(time.time()) - 9)
    ),
    "an empty app id": lambda api: change_headers(api.app(), X_App_Id=""),
    "an app that fails is no person": lambda api: {**api.person(1), **api.app("none")},
    "a person with only an app id": lambda api: {**api.person(1), "X-App-Id": "oa"},
}


# What anyone may know (contract §1): what is missing, or has the wrong form, for every caller.
SAID = {
    "no one": "The header Authorization is missing (or X-App-Id, for an app).",
    "no token": "Authorization must be: Bearer <token>.",
    "another scheme": "Authorization must be: Bearer <token>.",
    "expired": "The token has expired.",
    "no timestamp": "The header X-Timestamp is missing.",
    "no signature of an app": "The header X-Sign is missing.",
    "an empty signature": "The header X-Sign is missing.",
    "upper-case hex": "X-Sign must be 64 hexadecimal digits, in lower case.",
    "a timestamp with a sign": "X-Timestamp must be Unix seconds, in digits.",
    "a timestamp of a hundred digits": "X-Timestamp must be Unix seconds, in digits.",
    "an empty app id": "X-App-Id must be 1 to 255 characters.",
    "a person with only an app id": "The header X-Timestamp is missing.",
}
CODES = {name: "HEADER_MISSING" for name, said in SAID.items() if "is missing" in said}
CODES |= {name: "HEADER_MALFORMED" for name, said in SAID.items() if " must be" in said}
CODES |= {"expired": "TOKEN_EXPIRED"}
OFF = {"301 s old": "behind", "301 s ahead": "ahead of"}
OTHERWISE = "Not signed in, or the token or signature is invalid or expired."


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - OFF.keys()))
def test_refused_with_what_anyone_may_know(shared_api: Api, name: str) -> None:
    """Every row is 401; which person, app or secret exists is one sentence, so that a caller learns nothing from it."""
    answer = shared_api.send(REFUSED[name](shared_api), receiver_id=2)
    assert answer.status_code == 401, answer.text
    assert answer.json() == {
        "detail": SAID.get(name, OTHERWISE),
        "code": CODES.get(name, "NOT_SIGNED_IN"),
        "request_id": answer.headers["X-Request-Id"],
    }
    assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("app_id", ["oa", "none"])
def test_a_clock_that_is_off_is_told_by_how_much(shared_api: Api, name: str, app_id: str) -> None:
    """A timestamp that is off is 401 with the server's own time, and the same for an app that does not exist."""
    answer = shared_api.send({**REFUSED[name](shared_api), "X-App-Id": app_id}, receiver_id=2)
    assert answer.status_code == 401
    told = re.fullmatch(
        rf"X-Timestamp is (\d+) seconds {OFF[name]} the server's clock; at most 300 are allowed\.",
        answer.json()["detail"],
    )
    assert told
    assert list(answer.json()) == ["detail", "code", "request_id", "server_time"]
    assert answer.json()["code"] == "CLOCK_SKEW"
    assert int(told[1]) == pytest.approx(301, abs=20)
    assert answer.json()["server_time"] == pytest.approx(time.time(), abs=20)


def test_milliseconds_are_named_as_such(shared_api: Api) -> None:
    """A timestamp of now in milliseconds is 401 and is told so, even if its signature is wrong."""
    now = str(int(time.time() * 1000))
    answer = shared_api.send(change_headers(shared_api.app(), X_Timestamp=now), receiver_id=2)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "X-Timestamp is in milliseconds; it must be Unix seconds."
    assert answer.json()["server_time"] == pytest.approx(time.time(), abs=20)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (lambda api: api.app("none"), "There is no app 'none'."),
        (lambda api: api.app("closed"), "App 'closed' is disabled."),
        (lambda api: api.app("oa", secret="wrong"), "not made with a secret of app 'oa' (1 live)"),
        (lambda api: api.person(8), "Person 8 is not active."),
        (lambda api: api.person(404), "There is no person 404."),
        (lambda _api: token({"sub": "1", "exp": later()}, key="k" * 64), "Signature verification"),
        (lambda _api: token({"sub": "1"}), 'missing the "exp" claim'),
    ],
)
def test_the_reason_is_in_the_log_with_the_request_id(
    shared_api: Api,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    headers: Callable[[Api], dict[str, str]],
    reason: str,
) -> None:
    """What the caller is not told (which app, person or key it was) the operator finds by the request id."""
    caplog.set_level("INFO", logger="storage.process.refusal_log")
    ids: list[str] = []

    def note_id(_record: logging.LogRecord) -> bool:
        ids.append(REQUEST_ID.get())
        return True

    monkeypatch.setattr(caplog.handler, "filters", [note_id])
    asked = {**headers(shared_api), "X-Request-Id": "why-401"}
    assert shared_api.send(asked, receiver_id=2).json()["detail"] == OTHERWISE
    (line,) = [one.getMessage() for one in caplog.records]
    assert line.startswith("401 NOT_SIGNED_IN: ")
    assert reason in line
    assert ids == ["why-401"]


def test_an_expired_token_is_named_only_if_its_signature_is_good(shared_api: Api) -> None:
    """An expired token of ours is told so; a forged one gets the sentence that says nothing."""
    past = {"sub": "1", "exp": later() - 7200}
    good, forged = token(past), token(past, key="k" * 64)
    details = [shared_api.send(one, receiver_id=2).json()["detail"] for one in (good, forged)]
    assert details == ["The token has expired.", OTHERWISE]


@pytest.mark.parametrize("late_seconds", [-290, 0, 290])
def test_an_apps_clock_may_be_off_by_five_minutes(shared_api: Api, late_seconds: int) -> None:
    """An app whose clock is 290 seconds off, either way, is let in (contract §1)."""
    headers = shared_api.app(late_seconds=late_seconds)
    assert shared_api.send(headers, receiver_id=2).status_code == 200


def test_with_an_app_id_it_is_an_apps_call(shared_api: Api) -> None:
    """With X-App-Id the caller is the app, even if a token is sent as well (contract §1)."""
    headers = {**shared_api.app(), **shared_api.person(1, ttl_seconds=-5)}
    answer = shared_api.send(headers, type="NOTIFICATION", receiver_id=2)
    assert answer.status_code == 200
    assert answer.json()["sender_id"] is None


def test_the_scheme_may_be_in_any_case(shared_api: Api) -> None:
    """`bearer` is as good as `Bearer` (RFC 9110 §11.1)."""
    bearer = shared_api.person(1)["Authorization"].replace("Bearer", "bearer")
    answer = shared_api.send({"Authorization": bearer}, receiver_id=2)
    assert answer.status_code == 200


def test_a_secret_is_rotated_without_an_outage(api: Api, engine: Engine) -> None:
    """Two secrets of an app work at once, and a new one as soon as it is made, though the app is cached."""
    assert api.send(api.app(), receiver_id=2).status_code == 200
    sealed = Vault(load(VaultSettings, api.environ)).seal("the next secret")
    with engine.begin() as connection:
        connection.execute(insert(app_secrets).values(app_id=7, sealed=sealed))
    assert api.send(api.app(secret="the next secret"), receiver_id=2).status_code == 200
    assert api.send(api.app(secret=SECRET), receiver_id=2).status_code == 200


def test_a_secret_that_has_ended_is_refused_within_seconds(api: Api, engine: Engine) -> None:
    """When a secret's end has come its calls are 401, although the app is in use and remembered; the newer one works."""
    vault = Vault(load(VaultSettings, api.environ))
    with engine.begin() as connection:
        made = rotate_secret(
            connection, 7, vault=vault, old_ends_at=datetime.now(UTC) + timedelta(seconds=1)
        )

    def is_refused() -> bool:
        assert api.send(api.app(secret=made), receiver_id=2).status_code == 200
        return api.send(api.app(secret=SECRET), receiver_id=2).status_code == 401

    assert wait_until(is_refused, seconds=20)


def test_a_person_or_app_that_is_enabled_again_is_let_in_at_once(api: Api, engine: Engine) -> None:
    """A refusal is not cached: the next request after enabling succeeds."""
    assert api.send(api.person(8), receiver_id=2).status_code == 401
    assert api.send(api.app("closed"), receiver_id=2).status_code == 401
    with engine.begin() as connection:
        connection.execute(update(users).where(users.c.id == 8).values(status="ACTIVE"))
        connection.execute(update(apps).where(apps.c.app_id == "closed").values(is_active=True))
    assert api.send(api.person(8), receiver_id=2).status_code == 200
    assert api.send(api.app("closed"), receiver_id=2).status_code == 200


def test_a_disabled_person_and_a_lost_secret_are_refused_soon(api: Api, engine: Engine) -> None:
    """Disabling a person and deleting a secret work within the cache's lifetime, two seconds by default."""
    assert api.send(api.person(1), receiver_id=2).status_code == 200
    assert api.send(api.app(), receiver_id=2).status_code == 200
    with engine.begin() as connection:
        connection.execute(update(users).where(users.c.id == 1).values(is_deleted=True))
        connection.execute(delete(app_secrets).where(app_secrets.c.app_id == 7))
    refused_by = time.monotonic() + 2.5
    while {api.send(api.person(1), receiver_id=2).status_code,
           api.send(api.app(), receiver_id=2).status_code} != {401}:  # fmt: skip
        assert time.monotonic() < refused_by
