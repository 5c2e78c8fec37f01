"""Who runs a command: the account of this machine, as the audit names it.

Those who can run commands have the database, so they act with the rights of an admin
(docs/decisions/0032-named-operators.md). The name says who it was; it keeps nobody out.
"""

import os
import pwd
import socket

from storage.model.operator import CLI, Actor, Role


def find_actor() -> Actor:
    """The actor of this command: `cli:` and the name of the account (its number, if it has none), and the machine's name.

    As root by `sudo` it is the account that called it.
    """
    return Actor(f"{CLI}{_find_account()}", Role.ADMIN, address=socket.gethostname())


def _find_account() -> str:
    # The account of the process, not a variable, which everybody may set; but root's word for who called `sudo`.
    number = os.geteuid()
    caller = os.environ.get("SUDO_USER", "") if number == 0 else ""
    if caller:
        return caller
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # A container often runs as a number without a name.
        return str(number)
