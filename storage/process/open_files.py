"""How many sockets and files a process may have open (getrlimit(2))."""

import resource
from contextlib import suppress
from enum import Enum

RESERVED = 256  # descriptors for databases, files, and clients that are being refused,
RESERVED_SHARE = 8  # or this fraction of a small limit


class Headroom(Enum):
    """Whether one more connection of a client may be let in."""

    ENOUGH = "enough"
    TO_REFUSE = "to refuse"
    NONE = "none"


def raise_limit() -> None:
    """Raise this process's limit of open files as far as it may.

    The usual 1,024 are for programs that use select(2); a gateway would be full with a thousand clients.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS reports "unlimited" and then refuses to set it.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def read_limit() -> int:
    """How many files and sockets this process may have open; -1 is unlimited."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def find_headroom(connections: int) -> Headroom:
    """Whether one more client may be let in when clients have `connections` already.

    Some descriptors are reserved: without a free one the kernel resets a client and no log tells of it, and this
    process could not connect to its database.
    """
    most = read_limit()
    reserved = min(RESERVED, most // RESERVED_SHARE)
    if most < 0 or connections <= most - reserved:
        return Headroom.ENOUGH
    return Headroom.TO_REFUSE if connections <= most - reserved // 2 else Headroom.NONE
