"""`carillon pause`, `resume` and `pauses`, on the record of a running stack."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from ops.local.polling import wait_until
from tests.ops.cli.command import carillon, csv_file, refusal
from tests.services import Stack


@pytest.fixture
def environ(stack: Stack) -> Iterator[Mapping[str, str]]:
    """The settings of the running stack, in which nothing is paused afterwards."""
    yield stack.environ
    for name in ("sends", "broadcasts"):
        carillon(stack.environ, "resume", "queue", name)


def list_paused(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The kind and the name of everything that is paused."""
    shown = json.loads(carillon(environ, "pauses", "--json").stdout)
    return [(one["kind"], one["target"]) for one in shown["pauses"]]


def find_status(environ: Mapping[str, str], id: str) -> str:
    """The status of a message."""
    return str(json.loads(carillon(environ, "message", "show", id).stdout)["status"])


def test_a_paused_app_waits_until_it_is_resumed(environ: Mapping[str, str], tmp_path: Path) -> None:
    """A send is accepted and held while its app is paused, and delivered soon after the resume."""
    name = f"app_{uuid4().hex[:8]}"
    header = "id,mobile,name,english_name,status,role"
    carillon(environ, "user", "import", csv_file(tmp_path, header, "501,,张三,,,"))
    carillon(environ, "app", "add", name, "--name", "N", "--callback-url", "https://a.cn/cb")
    said = carillon(environ, "pause", "app", name, "--until", "2h", "--reason", "too loud").stdout
    assert "ends by itself" in said
    assert f"carillon resume app {name}" in said
    sent = carillon(
        environ, "send", "--app", name, "--to", "501", "--title", "t", "--content", "c"
    ).stdout
    id = sent.split()[1]
    assert list_paused(environ) == [("app", name)]
    listed = carillon(environ, "pauses").stdout
    assert "too loud" in listed
    assert wait_until(
        lambda: f"1 sends of {name}" in carillon(environ, "pauses").stdout, seconds=30
    )
    assert find_status(environ, id) == "ACCEPTED"
    assert "goes on" in carillon(environ, "resume", "app", name).stdout
    assert wait_until(lambda: find_status(environ, id) == "DELIVERED", seconds=30)
    assert "was not paused" in carillon(environ, "resume", "app", name).stdout
    assert "Nothing is paused" in carillon(environ, "pauses").stdout


def test_what_cannot_be_paused_is_refused_with_a_sentence(environ: Mapping[str, str]) -> None:
    """A queue that is not there, upkeep, an instant in the past and a time that is none are refused, and say why."""
    assert "sends or broadcasts" in refusal(carillon(environ, "pause", "queue", "send"))
    assert "upkeep cannot" in refusal(carillon(environ, "pause", "queue", "upkeep"))
    past = ("--until", "2020-01-01T00:00:00+08:00")
    assert "not in the future" in refusal(carillon(environ, "pause", "queue", "sends", *past))
    failed = carillon(environ, "pause", "queue", "sends", "--until", "tomorrow")
    assert failed.exit_code == 2
    assert "neither a duration" in " ".join(failed.stderr.split())
    assert list_paused(environ) == []
