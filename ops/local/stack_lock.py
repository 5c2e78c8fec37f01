"""The running stack of a data folder: only one at a time, and found by other commands.

`up` holds a lock on `<data folder>/up.lock` while it runs; the kernel drops it however `up` ends. So
`environment.json` beside it is believed only while somebody holds the lock.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ops.local.polling import wait_until
from ops.local.state_files import write_private
from storage.model.errors import InConflict, NotAllowed


@contextmanager
def hold_stack_lock(folder: Path) -> Iterator[None]:
    """Be the one stack of `folder` in this block; raises InConflict if there is one already."""
    with (folder / "up.lock").open("a") as lock:
        # A command that calls `read_running_environment` holds the lock for an instant.
        if not wait_until(lambda: _locked(lock, fcntl.LOCK_EX), seconds=0.5):
            raise InConflict(f"Carillon is already running on {folder}; stop that one first.")
        try:
            yield
        finally:
            (folder / "environment.json").unlink(missing_ok=True)


def publish_environment(folder: Path, environ: Mapping[str, str]) -> None:
    """Let other commands find the stack: its CARILLON_* variables, mode 0600 (there are secrets)."""
    ours = {name: text for name, text in environ.items() if name.startswith("CARILLON_")}
    write_private(folder / "environment.json", json.dumps(ours, indent=2, sort_keys=True) + "\n")


def read_running_environment(folder: Path) -> dict[str, str]:
    """What the running stack of `folder` published; empty if none runs.

    Raises NotAllowed if it belongs to another user.
    """
    try:
        with (folder / "up.lock").open() as lock:
            if _locked(lock, fcntl.LOCK_SH):
                return {}
        found: dict[str, str] = json.loads((folder / "environment.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise NotAllowed(f"The stack that runs on {folder} belongs to another user.") from None
    return found


def _locked(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
