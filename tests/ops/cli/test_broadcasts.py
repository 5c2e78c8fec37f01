"""`carillon broadcasts`, through the front door of a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from tests.ops.cli.command import carillon, csv_file, refusal
from tests.services import Stack

WORDS = ("--title", "t", "--content", "c")


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own; there is somebody to tell."""
    name = f"app_{uuid4().hex[:8]}"
    header = "id,mobile,name,english_name,status,role"
    carillon(environ, "user", "import", csv_file(tmp_path, header, "501,,张三,,,", "502,,李四,,,"))
    carillon(environ, "app", "add", name, "--name", "N", "--callback-url", "https://a.cn/cb")
    return name


def test_a_broadcast_is_shown_listed_and_taken_back(
    environ: Mapping[str, str], app_id: str
) -> None:
    """list, show, recall with a bar until it is gone; and stopping it then is refused."""
    own = ("--app", app_id)
    assert "nothing" in carillon(environ, "broadcasts", "list", *own).stdout
    id = carillon(environ, "broadcast", *own, *WORDS, "--watch").stdout.split()[0]
    shown = json.loads(carillon(environ, "broadcasts", "show", *own, id, "--watch").stdout)
    assert (shown["status"], shown["expanded"]) == ("DONE", shown["total"])
    assert id in carillon(environ, "broadcasts", "list", *own, "--limit", "5").stdout
    recalled = json.loads(carillon(environ, "broadcasts", "recall", *own, id).stdout)
    assert (recalled["status"], recalled["recalled"]) == ("RECALLED", shown["total"])
    assert "RECALLED" in refusal(carillon(environ, "broadcasts", "cancel", *own, id))


def test_what_is_not_the_apps_is_not_there(environ: Mapping[str, str], app_id: str) -> None:
    """404, as the API says it."""
    for command in ("show", "cancel", "recall"):
        assert "404" in refusal(carillon(environ, "broadcasts", command, "--app", app_id, "1"))
