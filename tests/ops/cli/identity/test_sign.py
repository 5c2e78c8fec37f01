"""`carillon sign`: the signature of an app's call, and curl lines that are run as they are printed."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from carillon_client import AppClient
from ops.cli import main
from ops.local.polling import wait_until
from tests.ops.cli.command import add_app_with_people, carillon, refusal
from tests.services import Stack

SECRET = "a secret of somebody without our database"


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own, which calls person 501 `zs`; 501 and 502 exist."""
    return add_app_with_people(environ, tmp_path)


def paste(line: str) -> Any:
    """The JSON that a printed line answers in a shell; fails the test if the API refuses it."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_every_line_works_as_it_is_printed(
    environ: Mapping[str, str], app_id: str, stack: Stack
) -> None:
    """The lines for a look, a send and a broadcast work when they are pasted, and reach a person whom the app knows."""
    printed = carillon(environ, "sign", "--app", app_id).stdout
    check, send, broadcast = [line for line in printed.splitlines() if line.startswith("curl ")]
    assert paste(check) == []
    assert paste(send)["receiver_id"] == 501
    sent = paste(broadcast)
    assert sent["receiver_id"] is None
    secret = json.loads(carillon(environ, "app", "rotate-secret", app_id, "--json").stdout)
    with AppClient(stack.url, app_id, secret["secret"]) as api:
        assert wait_until(lambda: api.get_broadcast(sent["id"]).total == 1, seconds=20)


def test_one_call_of_ones_own(environ: Mapping[str, str], app_id: str) -> None:
    """With a path there is one line: of that call, with its method and its body, whatever stands in it."""
    body = json.dumps(
        {"messages": [{"type": "NOTIFICATION", "title": "it's $HOME", "content": "`x`"}]}
    )
    path = ("--path", "/api/v1/messages/batch", "--body", body, "--json")
    told = json.loads(carillon(environ, "sign", "--app", app_id, *path).stdout)
    [(name, line)] = told["curl"].items()
    assert name == "call"
    [refused] = paste(line)["results"]
    assert refused["status"] == 422
    gone = carillon(environ, "sign", "--app", app_id, "--path", "broadcasts", "--method", "DELETE")
    assert "-X DELETE" in gone.stdout
    assert "/api/v1/broadcasts -H" in gone.stdout


def test_the_headers_alone_are_for_curl(
    environ: Mapping[str, str], app_id: str, stack: Stack
) -> None:
    """`--headers` prints what curl reads with `-H @file`."""
    told = carillon(environ, "sign", "--app", app_id, "--headers").stdout
    assert [line.split(": ")[0] for line in told.splitlines()] == [
        "X-App-Id",
        "X-Timestamp",
        "X-Sign",
    ]
    command = ["curl", "-sS", "--fail-with-body", f"{stack.url}/api/v1/broadcasts", "-H", "@-"]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []


def test_an_integrator_needs_only_the_secret(tmp_path: Path) -> None:
    """With a secret, also from stdin, nothing is looked up; a receiver has to be named then."""
    alone = {"CARILLON_DATA_DIR": str(tmp_path)}
    url = ("--url", "https://messages.example.com/", "--json")
    given = carillon(alone, "sign", "--app", "leave", "--secret", SECRET, "--to", 31002, *url)
    told = json.loads(given.stdout)
    assert set(told["curl"]) == {"check", "send", "broadcast"}
    assert "https://messages.example.com/api/v1/messages/ " in told["curl"]["send"]
    assert SECRET not in given.output
    piped = ["sign", "--app", "leave", "--secret", "-", *url]
    result = CliRunner().invoke(main, piped, env=alone, input=f"{SECRET}\n")
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)["curl"]) == {"check", "broadcast"}
    assert "--to USER_ID" in result.stderr


def test_what_cannot_be_signed_is_said(environ: Mapping[str, str]) -> None:
    """An unknown app is a sentence; an app id with a line break, an empty secret or a body without its path a usage error."""
    assert "There is no app nobody" in refusal(carillon(environ, "sign", "--app", "nobody"))
    for wrong in (
        ("--app", "a\nb"),
        ("--app", "a", "--secret", ""),
        ("--app", "a", "--secret", "s", "--body", "{}"),
    ):
        assert carillon(environ, "sign", *wrong).exit_code == 2, wrong


def test_a_whole_request_is_signed(environ: Mapping[str, str], app_id: str) -> None:
    """In version 2 the printed line works once, also from an app that has to sign so; a file's body is refused."""
    carillon(environ, "app", "require-signature", app_id, "2")
    body = json.dumps(
        {"type": "NOTIFICATION", "title": "it's", "content": "`x`", "receiver_id": 501}
    )
    whole = ("sign", "--app", app_id, "--sign-version", "2")
    printed = carillon(environ, *whole, "--path", "/messages/?b=2&a=1", "--body", body, "--json")
    line = json.loads(printed.stdout)["curl"]["call"]
    assert wait_until(lambda: "SIGNATURE_VERSION" in ask_in_version_1(environ, app_id), seconds=10)
    assert paste(line)["receiver_id"] == 501
    again = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert "NONCE_USED" in again.stdout
    assert "name it with --path" in carillon(environ, *whole).stderr
    from_file = carillon(environ, *whole, "--path", "/messages/", "--body", "@x.json")
    assert "give them here" in from_file.stderr


def ask_in_version_1(environ: Mapping[str, str], app_id: str) -> str:
    """What the API says to a call that is signed in version 1."""
    printed = carillon(environ, "sign", "--app", app_id, "--path", "/broadcasts", "--json").stdout
    line = json.loads(printed)["curl"]["call"]
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False).stdout
