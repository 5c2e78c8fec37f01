"""Who runs a command: the account of this machine, as the audit names it.

Those who can run commands have the database, so they act with the rights of an admin
(docs/decisions/0032-named-operators.md). The name says who it was; it keeps nobody out.
"""

import os
import pwd
import socket
from pathlib import Path

from storage.model.operator import CLI, Actor, Role

# The account that signed in to the machine, which `sudo` and `su` leave as it is (Linux; proc_pid_loginuid(5)).
LOGIN = Path("/proc/self/loginuid")
_NOBODY_SIGNED_IN = 2**32 - 1


def find_actor() -> Actor:
    """The actor of this command: `cli:` and the name of an account (its number, if it has none), and the machine's name.

    It is the account that signed in to the machine, if the kernel knows that; else the one that the process runs as. Not
    a variable such as USER, which everybody may set.
    """
    number = _find_login()
    return Actor(
        f"{CLI}{_find_name(os.geteuid() if number is None else number)}",
        Role.ADMIN,
        address=socket.gethostname(),
    )


def _find_login() -> int | None:
    try:
        number = int(LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if number == _NOBODY_SIGNED_IN else number


def _find_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # A container often runs as a number without a name.
        return str(number)
