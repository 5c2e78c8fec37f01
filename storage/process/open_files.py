"""How many sockets and files a process may have open (getrlimit(2))."""

import resource
from contextlib import suppress
from enum import Enum

KEPT = 256  # for databases, files and whoever is being refused,
KEPT_SHARE = 8  # or this part of a small limit


class Headroom(Enum):
    """Whether one more connection of a client may be let in."""

    ENOUGH = "enough"
    TO_REFUSE = "to refuse"
    NONE = "none"


def raise_limit() -> None:
    """Raise this process's limit to what it may raise it to.

    The usual 1,024 are for programs that use select(2); a gateway would be full with a thousand clients.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "unlimited" and refuses it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def read_limit() -> int:
    """How many this process may have open now; -1 is unlimited."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def find_headroom(connections: int) -> Headroom:
    """What there is room for when clients have so many connections.

    Some descriptors are kept back: who finds none is reset by the kernel and no log tells of it, and
    this process could not open its own database any more.
    """
    most = read_limit()
    kept = min(KEPT, most // KEPT_SHARE)
    if most < 0 or connections <= most - kept:
        return Headroom.ENOUGH
    return Headroom.TO_REFUSE if connections <= most - kept // 2 else Headroom.NONE
