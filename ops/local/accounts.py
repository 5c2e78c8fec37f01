"""Which user PostgreSQL runs as if we are root, for it refuses to run as root; and what that user may reach.

It runs as `postgres` where that user exists (a machine that has it keeps databases under it anyway), else as `nobody`.
That user must reach its data and its program. A folder on the way that forbids it is given search permission for others
(o+x: pass through, not list), and that is said.
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
    """The user to run PostgreSQL as; None if we are not root: then it runs as we do.

    Raises PermanentError if we are root and the machine has no such user.
    """
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
    """Let `account` reach `path`: every folder above it that lacks search permission for that user gets it.

    `say` is told of each folder that was changed.
    """
    for folder in reversed(path.resolve().parents):
        status = folder.stat()
        by_group = status.st_gid == account.group_id and status.st_mode & stat.S_IXGRP
        if not (status.st_uid == account.user_id or by_group or status.st_mode & stat.S_IXOTH):
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            say(f"{folder} may now be passed through by others (o+x), so that PostgreSQL, which "
                f"runs as {account.name} and not as root, reaches {path}.")  # fmt: skip


def let_read(tree: Path, account: Account, say: Say) -> None:
    """Let `account` read everything in `tree`, and run what root can run. `say` is told if something was changed."""
    let_through(tree, account, say)
    changed = [path for path in (tree, *tree.rglob("*")) if _open_to_readers(path)]
    if changed:
        say(f"{tree} may now be read by others, so that PostgreSQL runs as {account.name}.")


def _open_to_readers(path: Path) -> bool:
    """Let others read `path`; whether its mode had to be changed."""
    mode = stat.S_IMODE(path.stat().st_mode)
    wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
    if wanted != mode:
        path.chmod(wanted)
    return wanted != mode
