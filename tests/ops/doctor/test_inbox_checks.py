"""What `carillon doctor` says of the inbox."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.inbox import bundle
from ops.doctor.findings import Level
from tests.ops.doctor.findings import find

ON = {"CARILLON_INBOX": "on"}
DEMO = {**ON, "CARILLON_INBOX_DEMO": "on", "CARILLON_HOST": "127.0.0.1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the page, which is built."""
    (tmp_path / "index.html").write_text("<html>")
    monkeypatch.setattr(bundle, "FOLDER", tmp_path)
    return tmp_path


def test_without_an_inbox_nothing_is_found(environ: Mapping[str, str]) -> None:
    """Where the inbox is off, doctor does not speak of it."""
    assert find(environ, "inbox") == []


def test_who_can_sign_in_without_a_password_is_said(environ: Mapping[str, str]) -> None:
    """The demo's sign-in is told to those who run it, and an inbox without it is called that."""
    [finding] = find({**environ, **DEMO}, "inbox")
    assert finding.level is Level.OK
    assert "without a password" in finding.text
    [finding] = find({**environ, **ON}, "inbox")
    assert (finding.level, finding.text) == (Level.OK, "On; people sign in with their token.")


def test_missing_files_are_found(environ: Mapping[str, str], folder: Path) -> None:
    """An inbox whose files are not there is a warning with the command that builds them."""
    (folder / "index.html").unlink()
    [finding] = find({**environ, **ON}, "inbox")
    assert finding.level is Level.WARN
    assert "make clients" in finding.mend


def test_a_demo_that_others_reach_is_a_failure(environ: Mapping[str, str]) -> None:
    """With the demo's sign-in on an outer address doctor fails, as the process itself refuses to start."""
    [finding] = find({**environ, **DEMO, "CARILLON_HOST": "0.0.0.0"}, "inbox")
    assert finding.level is Level.FAIL
    assert "loopback" in finding.text
