"""`carillon user export` and `erase`, on the record of a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ops.local.polling import wait_until
from tests.ops.cli.command import carillon, csv_file, refusal
from tests.services import Stack

HEADER = "id,mobile,name,english_name,status,role"


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def people(environ: Mapping[str, str], tmp_path: Path) -> tuple[str, str]:
    """Two people of this test's own, the first of whom has written to the second."""
    first = 700_000_000 + uuid4().int % 100_000_000
    rows = [f"{first},139,李娜{first},Li Na,,", f"{first + 1},,王芳,,,"]
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *rows))
    words = ("--title", "t", "--content", "what Li wrote")
    carillon(environ, "send", "--as", str(first), "--to", str(first + 1), *words)
    return str(first), str(first + 1)


def find_person(environ: Mapping[str, str], id: str) -> dict[str, Any]:
    """What `carillon user show` tells."""
    found: dict[str, Any] = json.loads(carillon(environ, "user", "show", id).stdout)
    return found


def test_an_export_is_written_for_its_owners_eyes_only(
    environ: Mapping[str, str], people: tuple[str, str], tmp_path: Path
) -> None:
    """A JSON object a line, in a new file that nobody else can read; what is there stays, and the audit knows."""
    path = tmp_path / "li.jsonl"

    def export_messages() -> list[str]:
        path.unlink(missing_ok=True)
        carillon(environ, "user", "export", people[0], "-o", str(path))
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert records[0]["kind"] == "profile"
        return [one["content"] for one in records if one["kind"] == "message"]

    assert wait_until(lambda: export_messages() == ["what Li wrote"], seconds=20)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "is there already" in refusal(
        carillon(environ, "user", "export", people[0], "-o", str(path))
    )
    assert "no user" in refusal(carillon(environ, "user", "export", "699999999"))
    assert (
        json.loads(carillon(environ, "user", "export", people[0]).stdout.splitlines()[0])["mobile"]
        == "139"
    )


def test_an_erased_person_is_nameless_and_out_at_once(
    environ: Mapping[str, str], people: tuple[str, str], tmp_path: Path
) -> None:
    """Without --yes it asks; then the name is gone, the erasure is shown, and an import leaves the person out."""
    asked = carillon(environ, "user", "erase", people[0], typed="n\n")
    assert asked.exit_code == 1
    assert "erasure" not in find_person(environ, people[0])
    said = carillon(environ, "user", "erase", people[0], "--yes").stdout
    assert "no way in" in said
    shown = find_person(environ, people[0])
    assert (shown["name"], shown["mobile"], shown["is_deleted"]) == ("已注销用户", "", True)
    assert wait_until(
        lambda: find_person(environ, people[0])["erasure"]["step"] == "wait", seconds=60
    )
    words = ("--title", "t", "--content", "c")
    to_them = ("send", "--as", people[1], "--to", people[0], *words)
    assert wait_until(lambda: carillon(environ, *to_them).exit_code == 1, seconds=20)
    assert "receiver" in refusal(carillon(environ, *to_them)).lower()
    assert refusal(carillon(environ, "send", "--as", people[0], "--to", people[1], *words))
    again = carillon(
        environ, "user", "import", csv_file(tmp_path, HEADER, f"{people[0]},139,李娜,,ACTIVE,")
    )
    assert "1 who were erased are left out" in again.stdout
    assert "erased" in refusal(carillon(environ, "user", "enable", people[0]))
    assert find_person(environ, people[0])["name"] == "已注销用户"
    assert "no user" in refusal(carillon(environ, "user", "erase", "699999999", "--yes"))
