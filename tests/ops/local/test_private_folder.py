"""The data folder: who on the machine gets at what is in it."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from ops.local.accounts import find_server_account, let_through
from ops.local.child import Account, Child, Program
from ops.local.polling import wait_until
from ops.local.private_folder import restrict_to_owner
from tests import services

pytestmark = pytest.mark.quick

STRANGER = "daemon"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be others")


def mode(path: Path) -> int:
    """The permissions of `path`."""
    return path.stat().st_mode & 0o7777


def keep(folder: Path, account: Account | None = None) -> list[str]:
    """Restrict `folder` to its owner; returns what was said."""
    said: list[str] = []
    restrict_to_owner(folder, account=account, say=said.append)
    return said


def test_a_new_folder_is_its_owners(tmp_path: Path) -> None:
    """A folder that is made is its owner's alone, whatever the umask is."""
    folder = tmp_path / "data"
    before = os.umask(0)
    try:
        assert keep(folder) == []
    finally:
        os.umask(before)
    assert mode(folder) == 0o700


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    """A folder that was left open is closed with what is ours in it; other things in it are not touched."""
    tmp_path.chmod(0o755)
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "notes").mkdir(mode=0o755)
    for name in ("valkey", "logs", "media", "postgres"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    assert keep(tmp_path) == []
    assert mode(tmp_path) == 0o700
    closed = {name: mode(tmp_path / name) for name in ("valkey", "logs", "media", "postgres")}
    assert set(closed.values()) == {0o700}
    assert mode(tmp_path / "secrets.json") == 0o600
    assert mode(tmp_path / "notes") == 0o755


def test_a_folder_that_holds_other_things_stays_as_it_is(tmp_path: Path) -> None:
    """A folder that holds other things stays open, that is said, and what is ours in it is closed."""
    tmp_path.chmod(0o755)
    (tmp_path / "somebody's").touch()
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey").chmod(0o755)
    [sentence] = keep(tmp_path)
    assert "folder of its own" in sentence
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "valkey") == 0o700


def test_a_folder_for_everybody_is_never_closed(tmp_path: Path) -> None:
    """A folder like /tmp is not closed, even if it is empty."""
    tmp_path.chmod(0o1777)
    keep(tmp_path)
    assert mode(tmp_path) == 0o1777


@needs_root
def test_postgresql_gets_through_and_nobody_else() -> None:
    """PostgreSQL's user passes through to its data; another user cannot even pass."""
    account = find_server_account()
    assert account is not None
    with services.folder() as parent:
        folder = parent / "data"
        keep(folder, account)
        (folder / "postgres").mkdir()
        keep(folder, account)
        own = folder / "postgres" / "data"
        own.mkdir(mode=0o700)
        os.chown(own, account.user_id, account.group_id)
        let_through(own, account, pytest.fail)
        assert reaches(own, account.name)
        for place in (folder, folder / "postgres"):
            (place / "open").touch(mode=0o644)  # anybody who passes may read it
            assert not reaches(place / "open", STRANGER)
            assert not reaches(place, STRANGER)


def reaches(path: Path, user: str) -> bool:
    """Whether that user sees something at `path`."""
    done = subprocess.run(
        ["ls", "-A", path],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


def test_children_write_for_their_owner_alone(tmp_path: Path) -> None:
    """A file that a child makes is 0600, even if our own umask lets everybody read."""
    made = tmp_path / "made"
    before = os.umask(0o022)
    child = Child(Program("touch", ["/usr/bin/touch", str(made)], {}, tmp_path / "log"))
    try:
        child.launch()
    finally:
        os.umask(before)
    assert wait_until(made.exists, seconds=10)
    child.kill()
    assert mode(made) == 0o600
