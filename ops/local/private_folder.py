"""The data folder is its owner's alone: people's messages lie in it, in PostgreSQL, Valkey's log and media.

PostgreSQL of a root's stack runs as another user (`ops/local/accounts.py`) and must pass through to its own data: that
user's group may pass, and nobody else.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ops.local.accounts import Say
from ops.local.child import Account

# What `carillon up` puts there. Whatever else somebody keeps in the folder is left as it is.
OURS = (
    *("secrets.json", "environment.json", "up.lock"),
    *("postgres", "valkey", "logs", "beat", "metrics", "media"),
)
_MADE_BY_MKFS = "lost+found"


def restrict_to_owner(folder: Path, *, account: Account | None, say: Say) -> None:
    """Make `folder` if it is not there; nobody but us and `account` gets into it or what is ours in it.

    A folder that earlier versions left open is closed. One that holds other things too stays as it is, and that is
    said: it may be anybody's, and only what is ours in it is closed.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = {path.name for path in folder.iterdir()} - {_MADE_BY_MKFS}
    is_ours = is_new or here <= set(OURS) or "secrets.json" in here
    if is_ours and not _is_everybodys(folder):
        let_only_pass(folder, account)
    elif folder.stat().st_mode & 0o077:
        say(
            f"{folder} holds other things than Carillon's and stays open to others; give it a folder of its own."
        )
    _close(folder / name for name in OURS if name in here)
    postgres = folder / "postgres"
    if postgres.is_dir():
        let_only_pass(postgres, account)


def let_only_pass(folder: Path, account: Account | None) -> None:
    """Only the owner may look into `folder`, and `account` may pass through."""
    if account is not None:
        os.chown(folder, -1, account.group_id)
    _set(folder, 0o700 if account is None else 0o710)


def _is_everybodys(folder: Path) -> bool:
    """Whether it is of the kind of /tmp."""
    return bool(folder.stat().st_mode & stat.S_ISVTX)


def _close(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.is_symlink():
            _set(path, stat.S_IMODE(path.stat().st_mode) & 0o700)


def _set(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)
