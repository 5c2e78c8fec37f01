"""The last step before a child process becomes its program: its life is tied to its parent's.

`ops/local/child.py` runs this file as a script, in the child. It changes to another user if it is told to, asks the kernel
for a signal when the parent dies (also by SIGKILL), and replaces itself by the program. `preexec_fn` of subprocess would not
do: Python code between fork and exec can deadlock if the parent has threads. It imports the standard library only,
because it starts without site-packages.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Become the program. Returns never; ends with a message if the parent is dead already.

    `arguments`: the parent's pid, a signal's number, user id and group id (-1: as we are), then the program's argv.
    """
    parent, number, user, group = (int(text) for text in arguments[:4])
    command = arguments[4:]
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # After setuid: the kernel forgets the request when credentials change.
    die_with_parent(number)
    if os.getppid() != parent:
        sys.exit("its parent died before it started")
    # What a child writes holds people's messages or secrets: only its owner may read it.
    os.umask(0o077)
    # Python ignores SIGPIPE and ignored signals survive exec; servers decide for themselves.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 (the point of this file)


def die_with_parent(number: int) -> None:
    """Have the kernel send us signal `number` when the thread that forked us ends. Only on Linux; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
