"""TCP ports of this machine: free ones, and the one that a folder keeps from one start to the next."""

import re
import socket
from pathlib import Path

from ops.local.state_files import read_or_make, write_private

LOCALHOST = "127.0.0.1"
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


def choose_port(path: Path) -> int:
    """The port of 127.0.0.1 that is kept in `path`, and is free now.

    Another one is chosen, and kept from now on, the first time, if somebody has taken it, and if its file is damaged.
    """
    text = read_or_make(path, lambda: str(find_free_port()))
    port = int(text) if _PORT.fullmatch(text) else 0
    if not 0 < port < 1 << 16 or not is_port_free(port):
        port = find_free_port()
        write_private(path, str(port))
    return port


def find_free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now. It is not reserved: somebody may take it at any moment."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        return int(probe.getsockname()[1])


def is_port_free(port: int, host: str = LOCALHOST) -> bool:
    """Whether one could listen on `host`:`port` now (connections in TIME_WAIT do not count)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
