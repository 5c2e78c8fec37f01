"""How many sockets and files a process may have open (getrlimit(2))."""

import resource
from contextlib import suppress


def allow_all() -> int:
    """Raise this process's limit to what it may raise it to; returns the limit.

    The usual 1,024 are for programs that use select(2); a gateway would be full with a thousand clients.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "unlimited" and refuses it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return most
    return soft
