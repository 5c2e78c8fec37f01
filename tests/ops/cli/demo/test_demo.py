"""`carillon demo`, over the API of a running stack."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.cli.demo import socket_watch
from tests.ops.cli.command import add_app_with_people, carillon, refusal
from tests.services import Stack


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own, which calls person 501 `zs`; 501 and 502 exist."""
    return add_app_with_people(environ, tmp_path)


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
    """With many people the demo's broadcast needs --yes; --no-broadcast does everything else without it."""
    monkeypatch.setattr("ops.cli.demo.command._MANY", 1)
    assert "Say --yes" in refusal(carillon(environ, "demo"))
    result = carillon(environ, "demo", "--no-broadcast")
    assert result.stdout.count("arrived ") == 2, result.output
    assert carillon(environ, "demo", "--yes").exit_code == 0


def test_the_demo_says_what_did_not_arrive(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a message does not come in time, `demo` names it in a sentence and ends with exit code 1."""
    monkeypatch.setattr(socket_watch, "_PATIENCE_SECONDS", 0.0)
    result = carillon(environ, "demo")
    assert result.exit_code == 1
    assert "The private message" in result.stderr
    assert "did not arrive" in result.stderr
