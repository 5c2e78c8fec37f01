"""As whom PostgreSQL runs when we are root: it refuses to run as root.

It runs as `postgres` where that user exists (a machine that has it keeps databases under it anyway),
else as `nobody`. Such a user must be able to reach its data and its program; where a folder on the
way forbids that, it is given search permission for others (o+x: pass through, not list), and that is
said.
"""

import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

from ops.local.child import Account
from storage.model.errors import PermanentError

CANDIDATES = ("postgres", "nobody")

Say = Callable[[str], None]


def find_server_account() -> Account | None:
    """The user to run PostgreSQL as; None: as ourselves, because we are not root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PermanentError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody: start "
        "carillon as an ordinary user, or set CARILLON_DATABASE_URL."
    )


def give_ownership(path: Path, account: Account) -> None:
    """Make `account` the owner of `path` (not of what is in it)."""
    os.chown(path, account.user_id, account.group_id)


def let_through(path: Path, account: Account, say: Say) -> None:
    """Let `account` reach `path`: search permission on every folder above it that lacks it."""
    for folder in reversed(path.resolve().parents):
        status = folder.stat()
        by_group = status.st_gid == account.group_id and status.st_mode & stat.S_IXGRP
        if not (status.st_uid == account.user_id or by_group or status.st_mode & stat.S_IXOTH):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            say(f"{folder} may now be passed through by others (o+x), so that PostgreSQL, which "
                f"runs as {account.name} and not as root, reaches {path}.")  # fmt: skip


def let_read(tree: Path, account: Account, say: Say) -> None:
    """Let `account` read everything in `tree`, and run what root can run."""
    let_through(tree, account, say)
    changed = [path for path in (tree, *tree.rglob("*")) if _opened(path)]
    if changed:
        say(f"{tree} may now be read by others, so that PostgreSQL runs as {account.name}.")


def _opened(path: Path) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
    if wanted != mode:
        path.chmod(wanted)
    return wanted != mode
