"""Who runs a command, for the audit: the account of this machine, with the rights of an admin.

Who can run commands has the database anyway (docs/decisions/0032-named-operators.md).
"""

import getpass
import os
import socket

from storage.model.operator import CLI, Actor, Role


def find_actor() -> Actor:
    """The actor of this command: `cli:` and the name of the account (its number, if it has none), and the machine's name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor(f"{CLI}{name}", Role.ADMIN, address=socket.gethostname())
