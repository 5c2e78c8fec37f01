"""One stack at a time on a data folder, and how commands find it."""

import json
import os
from pathlib import Path

import pytest

from ops.local.stack_lock import hold_stack_lock, publish_environment, read_running_environment
from storage.model.errors import InConflict

pytestmark = pytest.mark.quick


def test_a_data_folder_has_one_stack(tmp_path: Path) -> None:
    """A second stack on a data folder is refused while the first runs, and not afterwards."""
    with hold_stack_lock(tmp_path), pytest.raises(InConflict), hold_stack_lock(tmp_path):
        pass
    with hold_stack_lock(tmp_path):
        pass


def test_a_second_stack_is_told_of_the_first(tmp_path: Path) -> None:
    """The refusal names the process that runs, its URL, and how a second stack can run beside it."""
    with hold_stack_lock(tmp_path):
        publish_environment(tmp_path, {"CARILLON_HOST": "::1", "CARILLON_PORT": "8123"})
        with pytest.raises(InConflict) as refused, hold_stack_lock(tmp_path):
            pass
    for word in (f"kill {os.getpid()}", "http://[::1]:8123", "CARILLON_DATA_DIR"):
        assert word in refused.value.detail


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    """Commands find the CARILLON_ variables of a running stack, and no others, in a file that only its owner can read."""
    with hold_stack_lock(tmp_path):
        publish_environment(tmp_path, {"CARILLON_PORT": "8123", "HOME": "/somewhere"})
        assert read_running_environment(tmp_path) == {"CARILLON_PORT": "8123"}
        assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600


def test_a_stale_environment_is_ignored(tmp_path: Path) -> None:
    """The environment that a killed stack left behind is not believed."""
    (tmp_path / "up.lock").touch()
    (tmp_path / "environment.json").write_text(json.dumps({"CARILLON_PORT": "8123"}))
    assert read_running_environment(tmp_path) == {}
