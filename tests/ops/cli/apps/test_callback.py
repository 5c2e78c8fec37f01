"""`carillon app callback`: what an app is told, where, and the key that its calls are signed with."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.keys.vault import Vault, VaultSettings
from storage.postgres import audit
from storage.postgres.app_events.callback_secrets import find_callback_secrets
from storage.settings import load
from tests.ops.cli.command import carillon, refusal

pytestmark = pytest.mark.quick

OA = ("app", "add", "oa", "--name", "OA", "--callback-url", "https://oa.example.com/cb")
CALLBACK = ("app", "callback", "oa")
URL = "https://oa.example.com/events"
EVENTS = ("--events", "message.read,broadcast.done")


def tell(environ: Mapping[str, str], *options: str, **more: str) -> Any:
    """What `app callback … --json` prints; the app is made first if it is not there."""
    carillon(environ, *OA)
    done = carillon({**environ, **more}, *CALLBACK, *options, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def list_secrets(environ: Mapping[str, str], engine: Engine) -> tuple[str, ...]:
    """The valid keys, newest first."""
    with engine.begin() as connection:
        vault = Vault(load(VaultSettings, environ))
        return find_callback_secrets(connection, 1, vault=vault)


def test_the_key_is_printed_once(environ: Mapping[str, str], engine: Engine) -> None:
    """With the first URL there is a key, in the JSON as `secret`; a change of URL or events shows none and keeps it."""
    made = tell(environ, "--url", URL, *EVENTS)
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["events"], made["status"]) == (
        URL,
        ["message.read", "broadcast.done"],
        "ACTIVE",
    )
    again = tell(environ, "--url", f"{URL}/2", "--events", "message.failed")
    assert (again["url"], again["events"]) == (f"{URL}/2", ["message.failed"])
    assert again["secret"] is None
    shown = tell(environ)
    assert shown == again
    assert list_secrets(environ, engine) == (made["secret"],)
    with engine.begin() as connection:
        rows = audit.list_rows(connection, limit=2)
    assert [row.act for row in rows] == ["app.callback"] * 2
    assert rows[0].before == {"url": URL, "status": "ACTIVE", "events": made["events"]}
    assert rows[1].after == {**(rows[0].before or {}), "secret": "new"}


def test_a_new_key_is_shown_and_the_one_before_goes_on(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """`--rotate` prints another key, and both are valid."""
    first = tell(environ, "--url", URL, *EVENTS)["secret"]
    second = tell(environ, "--rotate", "--expires", "7d")["secret"]
    assert list_secrets(environ, engine) == (second, first)
    assert "secret  whsec_" in carillon(environ, *CALLBACK, "--rotate").stdout


def test_an_app_that_only_pulls_has_no_key(environ: Mapping[str, str], engine: Engine) -> None:
    """Without a URL there is no key; with a URL later there is one, and what was pulled is not pushed again."""
    assert tell(environ, "--pull-only", *EVENTS) | {"app_id": ""} == {
        "app_id": "",
        "url": None,
        "events": ["message.read", "broadcast.done"],
        "status": "ACTIVE",
        "secret": None,
    }
    assert "none: it pulls" in carillon(environ, *CALLBACK).stdout
    assert "has no key" in refusal(carillon(environ, *CALLBACK, "--rotate"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE app_callbacks SET last_seq = 9, pulled_up_to = 5"))
    assert tell(environ, "--url", URL)["secret"]
    with engine.begin() as connection:
        taken = text("SELECT taken_up_to FROM app_callbacks")
        assert connection.execute(taken).scalar_one() == 5


def test_another_url_is_active_at_once(environ: Mapping[str, str], engine: Engine) -> None:
    """A URL that was switched off stays so when its events change, and is forgotten with another URL."""
    tell(environ, "--url", URL, *EVENTS)
    with engine.begin() as connection:
        off = "UPDATE app_callbacks SET status = 'OFF', attempts = 3, last_error = 'gone'"
        connection.execute(text(off))
    assert tell(environ, "--events", "message.read")["status"] == "OFF"
    assert tell(environ, "--url", f"{URL}2")["status"] == "ACTIVE"
    with engine.begin() as connection:
        row = connection.execute(text("SELECT attempts, last_error FROM app_callbacks")).one()
    assert tuple(row) == (0, None)


def test_it_is_taken_back(environ: Mapping[str, str], engine: Engine) -> None:
    """`--remove` forgets everything of it, with a row of the audit; a second time there is nothing to forget."""
    tell(environ, "--url", URL, *EVENTS)
    said = carillon(environ, *CALLBACK, "--remove")
    assert "told nothing any more" in said.stdout
    assert "is told nothing" in refusal(carillon(environ, *CALLBACK, "--remove"))
    assert "is told nothing" in carillon(environ, *CALLBACK).stdout
    assert list_secrets(environ, engine) == ()
    with engine.begin() as connection:
        [row] = audit.list_rows(connection, limit=1)
    assert (row.act, row.after) == ("app.callback-remove", None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--url", URL), "Say which events"),
        (("--url", URL, "--events", ","), "Say which events"),
        (("--url", URL, "--events", "message.sent"), "is no event"),
        (("--url", "http://oa.example.com/", *EVENTS), "must be https"),
        (("--url", "http://127.0.0.1/", *EVENTS), "not public"),
        (("--url", "https://10.1.2.3/", *EVENTS), "not public"),
        (("--url", "https://[::1]/", *EVENTS), "not public"),
        (("--url", "https://[::ffff:10.0.0.1]/", *EVENTS), "not public"),
        (("--url", "https://169.254.169.254/", *EVENTS), "not public"),
        (("--url", "https://a:b@oa.example.com/", *EVENTS), "a user"),
        (("--url", "https://oa.example.com/#x", *EVENTS), "a fragment"),
        (("--url", "ftp://oa.example.com/", *EVENTS), "absolute https URL"),
        (("--url", "/events", *EVENTS), "absolute https URL"),
        (("--url", "https://oa.example.com:99999/", *EVENTS), "is not a URL"),
        (("--url", "https://oa.example.com\\@x/", *EVENTS), "plain ASCII"),
        (("--url", "https://例.cn/", *EVENTS), "plain ASCII"),
    ],
)
def test_what_could_never_work_is_a_sentence(
    environ: Mapping[str, str], engine: Engine, options: tuple[str, ...], sentence: str
) -> None:
    """Events that there are not and URLs that would never be called are refused, and nothing is stored."""
    carillon(environ, *OA)
    assert sentence in refusal(carillon(environ, *CALLBACK, *options))
    with engine.begin() as connection:
        stored = "SELECT (SELECT count(*) FROM app_callbacks) + (SELECT count(*) FROM app_callback_secrets)"
        assert connection.execute(text(stored)).scalar_one() == 0


@pytest.mark.parametrize(
    "url", ["http://10.1.2.3:8080/e", "https://10.1.2.3/", "http://oa.internal/events"]
)
def test_listed_networks_may_be_called_without_tls(environ: Mapping[str, str], url: str) -> None:
    """With CARILLON_CALLBACK_ALLOWED http is for addresses in it, and for names, which are judged when they are called."""
    listed = {"CARILLON_CALLBACK_ALLOWED": "10.1.0.0/16"}
    assert tell(environ, "--url", url, *EVENTS, **listed)["url"] == url
    carillon({**environ, **listed}, *CALLBACK, "--remove")
    other = carillon({**environ, **listed}, *CALLBACK, "--url", "http://10.2.2.3/", *EVENTS)
    assert "not public" in refusal(other)
    public = carillon({**environ, **listed}, *CALLBACK, "--url", "http://8.8.8.8/", *EVENTS)
    assert "must be https" in refusal(public)


@pytest.mark.parametrize(
    "options",
    [("--url", URL, "--pull-only"), ("--expires", "1h"), ("--remove", "--rotate")],
)
def test_options_that_contradict_are_a_mistake(
    environ: Mapping[str, str], options: tuple[str, ...]
) -> None:
    """A command that says two things at once ends with exit code 2."""
    assert carillon(environ, *CALLBACK, *options).exit_code == 2
