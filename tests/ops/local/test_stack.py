"""What the stack's environment and processes are computed to be."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ops.local.settings import UpSettings
from ops.local.stack import build_servers, prepare_environment, prepare_programs
from ops.local.stack_lock import hold_stack_lock, publish_environment, read_running_environment
from storage.model.errors import InConflict, InvalidSettings
from storage.settings import load

pytestmark = pytest.mark.quick


def test_what_is_missing_is_generated_and_kept(tmp_path: Path) -> None:
    """Secrets are made once, are good keys, and only their owner can read them."""
    first = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    second = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    assert first == second
    assert len(first["CARILLON_JWT_SECRET"]) >= 64
    assert Fernet(first["CARILLON_SECRETS_KEY"]).encrypt(b"x")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_what_is_set_is_used(tmp_path: Path) -> None:
    """A secret or address in the environment is not replaced."""
    given = {
        "CARILLON_DATA_DIR": str(tmp_path),
        "CARILLON_JWT_SECRET": "mine",
        "CARILLON_PORT": "8123",
        "CARILLON_PUBLIC_URL": "https://messages.example",
    }
    assert given.items() <= prepare_environment(given).items()


def test_the_public_url_follows_the_port(tmp_path: Path) -> None:
    """Not set, it is the local address."""
    found = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path), "CARILLON_PORT": "8123"})
    assert found["CARILLON_PUBLIC_URL"] == "http://127.0.0.1:8123"


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
    """A server whose URL is set is not started."""
    environ = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)} | given)
    assert {server.name for server in build_servers(environ)} == embedded


def test_every_queue_has_a_worker(tmp_path: Path) -> None:
    """The processes consume every queue that there is, each in a worker of its own."""
    from storage.broker.queues import TASK_OF_QUEUE

    commands = [
        program.command
        for program in prepare_programs(prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)}))
    ]
    consumed = [command[command.index("-Q") + 1] for command in commands if "-Q" in command]
    assert sorted(consumed) == sorted(TASK_OF_QUEUE)


def test_a_bad_port_is_refused() -> None:
    """A port that is none is named with its variable."""
    with pytest.raises(InvalidSettings, match="CARILLON_PORT"):
        load(UpSettings, {"CARILLON_PORT": "70000"})


def test_a_data_folder_has_one_stack(tmp_path: Path) -> None:
    """A second stack on the same folder is refused while the first runs, and not after."""
    with hold_stack_lock(tmp_path), pytest.raises(InConflict), hold_stack_lock(tmp_path):
        pass
    with hold_stack_lock(tmp_path):
        pass


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    """Commands see what a running stack published: its CARILLON_ variables, nothing else."""
    with hold_stack_lock(tmp_path):
        publish_environment(tmp_path, {"CARILLON_PORT": "8123", "HOME": "/somewhere"})
        assert read_running_environment(tmp_path) == {"CARILLON_PORT": "8123"}
        assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600


def test_a_stale_environment_is_ignored(tmp_path: Path) -> None:
    """What a killed stack left is not believed."""
    (tmp_path / "up.lock").touch()
    (tmp_path / "environment.json").write_text(json.dumps({"CARILLON_PORT": "8123"}))
    assert read_running_environment(tmp_path) == {}
