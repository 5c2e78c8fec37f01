"""How many sockets and files a process may have open (getrlimit(2))."""

import resource
from contextlib import suppress


def allow_all() -> None:
    """Raise this process's limit to what it may raise it to.

    The usual 1,024 are for programs that use select(2); a gateway would be full with a thousand clients.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "unlimited" and refuses it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
