"""`carillon send` and `carillon broadcast`, over the API of a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from carillon_client import PersonClient
from ingest.inbox.demo_people import LIN
from tests.ops.cli.command import add_app_with_people, carillon, refusal
from tests.services import Stack

WORDS = ("--title", "t", "--content", "c")


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own, which calls person 501 `zs`; 501 and 502 exist."""
    return add_app_with_people(environ, tmp_path)


def test_an_app_and_a_person_send(environ: Mapping[str, str], app_id: str, stack: Stack) -> None:
    """An app sends to an account with its stored secret, and a person to a person; the receiver has both messages."""
    sent = carillon(environ, "send", "--app", app_id, "--to-account", "zs", *WORDS, "--json")
    notification = json.loads(sent.stdout)
    assert (notification["receiver_id"], notification["type"]) == (501, "NOTIFICATION")
    result = carillon(environ, "send", "--as", "502", "--to", "501", *WORDS)
    assert "to user 501 is accepted" in result.stdout, result.output
    token = carillon(environ, "token", "501").stdout.strip()
    with PersonClient(stack.url, token) as api:
        assert api.get_message(notification["id"]).title == "t"


def test_a_refusal_is_the_apis_own_sentence(environ: Mapping[str, str], app_id: str) -> None:
    """If the API refuses a send, the command says its status and sentence, and ends with exit code 1."""
    wrong = ("send", "--app", app_id, "--secret", "wrong", "--to", "501", *WORDS)
    assert "401" in refusal(carillon(environ, *wrong))
    assert "404" in refusal(carillon(environ, "send", "--as", "502", "--to", "599", *WORDS))
    long = ("--title", "t" * 256, "--content", "c")
    assert "422: title" in refusal(carillon(environ, "send", "--as", 502, "--to", 501, *long))


def test_who_sends_to_whom_is_said_once(environ: Mapping[str, str]) -> None:
    """Two senders, or no receiver, are a usage error."""
    assert carillon(environ, "send", "--as", 1, "--app", "x", "--to", 2, *WORDS).exit_code == 2
    assert carillon(environ, "send", "--as", 1, *WORDS).exit_code == 2


def test_an_api_that_is_not_there_is_a_sentence(environ: Mapping[str, str]) -> None:
    """If nobody listens, the command says at which URL and ends with exit code 1."""
    away = ("--url", "http://127.0.0.1:9", "--as", 1, "--to", 2)
    assert "http://127.0.0.1:9 does not answer" in refusal(carillon(environ, "send", *away, *WORDS))


def test_a_broadcast_is_watched_to_its_end(environ: Mapping[str, str], app_id: str) -> None:
    """`broadcast --watch` ends when everyone has the broadcast; on stdout is its id alone."""
    carillon(environ, "demo", "--no-broadcast")  # makes sure that somebody is there
    result = carillon(environ, "broadcast", "--app", app_id, *WORDS, "--watch")
    assert result.exit_code == 0, result.output
    assert int(result.stdout) > LIN.id
    assert "DONE: " in result.stderr
