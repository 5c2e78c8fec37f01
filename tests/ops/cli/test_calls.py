"""`carillon send`, `broadcast` and `demo`: through the front door of a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from ops.api_client import ApiClient
from ops.cli.demo import socket_watch
from ops.cli.demo.cast import LIN
from tests.ops.cli.command import carillon, csv_file, refusal
from tests.services import Stack

HEADER = "id,mobile,name,english_name,status,role"
WORDS = ("--title", "t", "--content", "c")


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own, which calls person 501 `zs`; 501 and 502 exist."""
    name = f"app_{uuid4().hex[:8]}"
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, "501,,张三,,,", "502,,李四,,,"))
    carillon(environ, "app", "add", name, "--name", "N", "--callback-url", "https://a.cn/cb")
    path = csv_file(tmp_path, "app_user_id,user_id,email", "zs,501,")
    carillon(environ, "mapping", "import", name, path)
    return name


def test_the_demo_shows_all_three_arriving(environ: Mapping[str, str]) -> None:
    """`demo` works twice in a row: every kind of message arrives, and the button has a ticket."""
    for _ in range(2):
        result = carillon(environ, "demo")
        assert result.exit_code == 0, result.output
        assert result.stdout.count("arrived ") == 3
        assert "callback?ticket=" in result.stdout
        assert result.stdout.endswith("Everything arrived.\n")


def test_the_demo_asks_before_it_reaches_many(
    environ: Mapping[str, str], app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many people the broadcast needs --yes; --no-broadcast does the rest without it."""
    monkeypatch.setattr("ops.cli.demo.command._MANY", 1)
    assert "Say --yes" in refusal(carillon(environ, "demo"))
    result = carillon(environ, "demo", "--no-broadcast")
    assert result.stdout.count("arrived ") == 2, result.output
    assert carillon(environ, "demo", "--yes").exit_code == 0


def test_the_demo_says_what_did_not_arrive(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that does not come in time: a sentence that names it, and exit code 1."""
    monkeypatch.setattr(socket_watch, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(socket_watch, "_OPEN_SECONDS", 10.0)
    result = carillon(environ, "demo")
    assert result.exit_code == 1
    assert "The private message" in result.stderr
    assert "did not arrive" in result.stderr


def test_an_app_and_a_person_send(environ: Mapping[str, str], app_id: str, stack: Stack) -> None:
    """An app reaches an account by a stored secret, a person a person; the receiver has both."""
    sent = carillon(environ, "send", "--app", app_id, "--to-account", "zs", *WORDS, "--json")
    notification = json.loads(sent.stdout)
    assert (notification["receiver_id"], notification["type"]) == (501, "NOTIFICATION")
    result = carillon(environ, "send", "--as", "502", "--to", "501", *WORDS)
    assert "to user 501 is accepted" in result.stdout, result.output
    token = carillon(environ, "token", "501").stdout.strip()
    with ApiClient.of_user(stack.url, token) as api:
        assert api.get(f"/messages/{notification['id']}")["title"] == "t"


def test_a_refusal_is_the_apis_own_sentence(environ: Mapping[str, str], app_id: str) -> None:
    """What the API refuses is told with its status and reason, exit code 1."""
    wrong = ("send", "--app", app_id, "--secret", "wrong", "--to", "501", *WORDS)
    assert "401" in refusal(carillon(environ, *wrong))
    assert "404" in refusal(carillon(environ, "send", "--as", "502", "--to", "599", *WORDS))
    long = ("--title", "t" * 256, "--content", "c")
    assert "422: title" in refusal(carillon(environ, "send", "--as", 502, "--to", 501, *long))


def test_who_sends_to_whom_is_said_once(environ: Mapping[str, str]) -> None:
    """Two senders, or no receiver, is a usage error."""
    assert carillon(environ, "send", "--as", 1, "--app", "x", "--to", 2, *WORDS).exit_code == 2
    assert carillon(environ, "send", "--as", 1, *WORDS).exit_code == 2


def test_an_api_that_is_not_there_is_a_sentence(environ: Mapping[str, str]) -> None:
    """Nobody listens: exit code 1 and where nobody does."""
    away = ("--url", "http://127.0.0.1:9", "--as", 1, "--to", 2)
    assert "http://127.0.0.1:9 does not answer" in refusal(carillon(environ, "send", *away, *WORDS))


def test_a_broadcast_is_watched_to_its_end(environ: Mapping[str, str], app_id: str) -> None:
    """`--watch` ends when everyone has it; stdout is the id alone."""
    carillon(environ, "demo", "--no-broadcast")  # makes sure that somebody is there
    result = carillon(environ, "broadcast", "--app", app_id, *WORDS, "--watch")
    assert result.exit_code == 0, result.output
    assert int(result.stdout) > LIN.id
    assert "DONE: " in result.stderr
