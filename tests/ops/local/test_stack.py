"""The environment, servers and processes of the one-machine stack."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ops.local.stack import build_servers, prepare_environment, prepare_programs
from storage.broker.queues import TASK_OF_QUEUE
from storage.model.errors import InvalidSettings
from storage.settings import OriginSettings, load

pytestmark = pytest.mark.quick


def test_what_is_missing_is_generated_and_kept(tmp_path: Path) -> None:
    """Secrets that are not set are made once, are good keys, and only their owner can read them."""
    first = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    second = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    assert first == second
    assert len(first["CARILLON_JWT_SECRET"]) >= 64
    assert Fernet(first["CARILLON_SECRETS_KEY"]).encrypt(b"x")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_damaged_secrets_are_named(tmp_path: Path) -> None:
    """A file of secrets that is damaged is named; new ones, which would not open what the old ones sealed, are not made."""
    for damaged in ("", "{", "[]", "null"):
        (tmp_path / "secrets.json").write_text(damaged)
        with pytest.raises(InvalidSettings, match=r"secrets\.json is damaged"):
            prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
        assert (tmp_path / "secrets.json").read_text() == damaged


def test_what_is_set_is_used(tmp_path: Path) -> None:
    """A secret or address that is set in the environment is not replaced."""
    given = {
        "CARILLON_DATA_DIR": str(tmp_path),
        "CARILLON_JWT_SECRET": "mine",
        "CARILLON_PORT": "8123",
        "CARILLON_PUBLIC_URL": "https://messages.example",
    }
    assert given.items() <= prepare_environment(given).items()


def test_pages_of_ones_own_machine_may_call(tmp_path: Path) -> None:
    """A developer's page on another port may call; URLs of media are relative, for whichever name it is reached by."""
    found = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    assert load(OriginSettings, found).allowed.allow(b"http://localhost:3000")
    assert "CARILLON_PUBLIC_URL" not in found


@pytest.mark.parametrize(
    ("given", "embedded"),
    [
        ({}, {"postgres", "valkey"}),
        ({"CARILLON_DATABASE_URL": "postgresql://elsewhere/x"}, {"valkey"}),
        ({"CARILLON_VALKEY_URL": "redis://elsewhere/0"}, {"postgres"}),
        ({"CARILLON_BROKER_URL": "amqp://elsewhere//"}, {"postgres", "valkey"}),
    ],
)
def test_only_what_has_no_url_is_embedded(
    tmp_path: Path, given: dict[str, str], embedded: set[str]
) -> None:
    """A server whose URL is set is not embedded; the broker needs none."""
    environ = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)} | given)
    assert {server.name for server in build_servers(environ)} == embedded


def test_every_queue_has_a_worker(tmp_path: Path) -> None:
    """Every queue that there is has a worker of its own among the processes."""
    commands = [
        program.command
        for program in prepare_programs(prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)}))
    ]
    consumed = [command[command.index("-Q") + 1] for command in commands if "-Q" in command]
    assert sorted(consumed) == sorted(TASK_OF_QUEUE)
