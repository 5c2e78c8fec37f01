"""The last step before a child process becomes its program: tie its life to its parent's.

`ops/local/child.py` runs this file as a script, as the child: it drops to another user if told to, asks the
kernel for a signal when the parent dies (also by SIGKILL), and replaces itself by the program. Why
not `preexec_fn`: Python code between fork and exec can deadlock when the parent has threads. Imports
the standard library only: it starts without site-packages.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """`arguments`: parent's pid, signal, user id, group id (-1: as we are), then the program's argv."""
    parent, number, user, group = (int(text) for text in arguments[:4])
    command = arguments[4:]
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After setuid: a change of credentials clears it.
    die_with_parent(number)
    if os.getppid() != parent:
        sys.exit("its parent died before it started")
    # What a child writes is people's messages, or secrets: its owner's alone.
    os.umask(0o077)
    # Python ignores SIGPIPE and ignored signals survive exec; servers decide for themselves.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 (the point of this file)


def die_with_parent(number: int) -> None:
    """Get signal `number` when the parent thread ends. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
