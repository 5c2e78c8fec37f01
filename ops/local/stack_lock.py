"""The lock of a data folder: only one stack runs on it, and other commands find that stack.

`carillon up` holds a lock on `up.lock` in the data folder while it runs, and keeps its environment in `environment.json`
beside it. The kernel drops the lock however `up` ends, so that file is believed only while the lock is held.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ops.local.polling import wait_until
from ops.local.settings import UpSettings
from ops.local.state_files import write_private
from storage.model.errors import InConflict, NotAllowed
from storage.settings import load


@contextmanager
def hold_stack_lock(folder: Path, *, busy: str = "") -> Iterator[None]:
    """Hold the lock of `folder` in this block, with our process id in it.

    Raises InConflict if another process holds it; the sentence is `busy`, or says which process, and at which URL.
    """
    with (folder / "up.lock").open("a+") as lock:
        # A command that calls `read_running_environment` holds the lock for an instant.
        if not wait_until(lambda: _try_lock(lock, fcntl.LOCK_EX), seconds=0.5):
            raise InConflict(busy or _describe_holder(folder, lock))
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            (folder / "environment.json").unlink(missing_ok=True)


def _describe_holder(folder: Path, lock: IO[str]) -> str:
    """Who runs on `folder`: which process, at which URL, and what to do."""
    lock.seek(0)
    holder = lock.read(20).strip()
    up = load(UpSettings, read_running_environment(folder))
    at = f" at {up.local_url}" if (folder / "environment.json").exists() else ""
    stop = f"Ctrl-C in its terminal, or kill {holder}" if holder.isdecimal() else "Ctrl-C"
    return (
        f"Carillon is already running on {folder}{at}. Stop that one first ({stop}), or give this one a folder and a "
        "port of its own: CARILLON_DATA_DIR, CARILLON_PORT."
    )


def publish_environment(folder: Path, environ: Mapping[str, str]) -> None:
    """Let other commands find this stack: keep its CARILLON_* variables in `folder`, mode 0600, for there are secrets."""
    ours = {name: text for name, text in environ.items() if name.startswith("CARILLON_")}
    write_private(folder / "environment.json", json.dumps(ours, indent=2, sort_keys=True) + "\n")


def read_running_environment(folder: Path) -> dict[str, str]:
    """The CARILLON_* variables of the stack that runs on `folder`; empty if none runs.

    Raises NotAllowed if that stack belongs to another user.
    """
    try:
        with (folder / "up.lock").open() as lock:
            if _try_lock(lock, fcntl.LOCK_SH):
                return {}
        found: dict[str, str] = json.loads((folder / "environment.json").read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError:
        raise NotAllowed(f"The stack that runs on {folder} belongs to another user.") from None
    return found


def _try_lock(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
