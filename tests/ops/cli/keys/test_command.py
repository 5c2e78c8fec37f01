"""`carillon keys`: what is replaced in a data folder, and when older keys may go."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.cli.keys.command import NAMES
from ops.local.stack import keep_secrets, write_secrets
from ops.local.stack_lock import hold_stack_lock
from tests.ops.cli.command import carillon, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with secrets."""
    keep_secrets(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["token", "media", "console"])
def test_one_secret_is_replaced_and_no_other(folder: Path, name: str) -> None:
    """A new secret takes the place of the old one; the others stay, and it is said what follows."""
    before = keep_secrets(folder)
    done = carillon({"CARILLON_DATA_DIR": str(folder)}, "keys", "rotate", name)
    after = keep_secrets(folder)
    assert {one for one in after if after[one] != before[one]} == {NAMES[name]}
    assert "Restart" in done.stdout


def test_the_vault_keeps_its_old_key_until_it_is_retired(
    folder: Path, environ: Mapping[str, str]
) -> None:
    """The new key comes before the old one; the old one goes only when the stack runs with both, and nothing needs it."""
    old = environ["CARILLON_SECRETS_KEY"]
    write_secrets(folder, keep_secrets(folder) | {"CARILLON_SECRETS_KEY": old})
    own = {**environ, "CARILLON_DATA_DIR": str(folder)}
    words = ("--name", "OA", "--callback-url", "https://oa.cn/cb")
    assert carillon(own, "app", "add", "oa", *words).exit_code == 0
    carillon(own, "keys", "rotate", "vault")
    both = keep_secrets(folder)["CARILLON_SECRETS_KEY"]
    assert both.split(",")[1] == old
    assert "restart it first" in refusal(carillon(own, "keys", "retire"))
    own["CARILLON_SECRETS_KEY"] = both
    assert "1 secrets sealed anew" in carillon(own, "keys", "reseal").stdout
    assert "dropped" in carillon(own, "keys", "retire").stdout
    new = keep_secrets(folder)["CARILLON_SECRETS_KEY"]
    assert new == both.split(",")[0]
    done = carillon(own | {"CARILLON_SECRETS_KEY": new}, "doctor", "--json")
    found = {one["name"]: one["level"] for one in json.loads(done.stdout)}
    assert found["secrets"] == "OK"
    assert "no older key" in carillon(own, "keys", "retire").stdout


def test_passwords_are_not_replaced_under_a_running_stack(folder: Path) -> None:
    """While a stack holds the folder, its servers keep their passwords; afterwards the files go."""
    (folder / "valkey").mkdir()
    (folder / "valkey" / "password").write_text("old")
    own = {"CARILLON_DATA_DIR": str(folder)}
    with hold_stack_lock(folder):
        assert "already running" in refusal(carillon(own, "keys", "rotate", "passwords"))
    assert (folder / "valkey" / "password").read_text() == "old"
    assert carillon(own, "keys", "rotate", "passwords").exit_code == 0
    assert not (folder / "valkey" / "password").exists()


def test_another_folder_is_named(tmp_path: Path) -> None:
    """A folder without a stack's secrets is refused, and nothing is made in it."""
    own = {"CARILLON_DATA_DIR": str(tmp_path)}
    assert "no data folder" in refusal(carillon(own, "keys", "rotate", "token"))
    assert list(tmp_path.iterdir()) == []


def test_what_the_environment_sets_is_replaced_there(folder: Path) -> None:
    """A secret that is not the data folder's own is refused: a new one in the folder would never count."""
    before = keep_secrets(folder)
    own = {"CARILLON_DATA_DIR": str(folder), "CARILLON_CONSOLE_TOKEN": "from elsewhere"}
    assert "environment" in refusal(carillon(own, "keys", "rotate", "console"))
    assert keep_secrets(folder) == before
