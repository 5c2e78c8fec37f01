"""Permissions of the data folder: only its owner gets in, for people's messages lie in it.

If we are root, PostgreSQL runs as another user (`ops/local/accounts.py`) and must pass through to its own data: the group
of that user may pass, and nobody else.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ops.local.accounts import Say
from ops.local.child import Account

# What `carillon up` puts there. Other things in the folder are left as they are.
OURS = (
    *("secrets.json", "environment.json", "up.lock", "last_backup.json"),
    *("postgres", "valkey", "logs", "beat", "metrics", "media"),
)
_MADE_BY_MKFS = "lost+found"


def restrict_to_owner(folder: Path, *, account: Account | None, say: Say) -> None:
    """Make `folder` if it is not there, and let only us and `account` into it and into what is ours in it.

    A folder that an earlier version left open is closed. If it holds things that are not ours (somebody chose /srv), it
    stays as it is, `say` is told, and only what is ours in it is closed. A folder like /tmp always stays as it is.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = {path.name for path in folder.iterdir()} - {_MADE_BY_MKFS}
    is_ours = is_new or here <= set(OURS) or "secrets.json" in here
    if is_ours and not _is_shared_by_all(folder):
        let_only_pass(folder, account)
    elif folder.stat().st_mode & 0o077:
        say(
            f"{folder} holds other things than Carillon's and stays open to others; give it a folder of its own."
        )
    _restrict_all(folder / name for name in OURS if name in here)
    postgres = folder / "postgres"
    if postgres.is_dir():
        let_only_pass(postgres, account)


def let_only_pass(folder: Path, account: Account | None) -> None:
    """Let only the owner look into `folder`, and `account`, if there is one, pass through it."""
    if account is not None:
        os.chown(folder, -1, account.group_id)
    _set_mode(folder, 0o700 if account is None else 0o710)


def _is_shared_by_all(folder: Path) -> bool:
    """Whether everybody may make files in it, as in /tmp."""
    return bool(folder.stat().st_mode & stat.S_ISVTX)


def _restrict_all(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.is_symlink():
            _set_mode(path, stat.S_IMODE(path.stat().st_mode) & 0o700)


def _set_mode(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)
