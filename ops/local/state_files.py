"""Small facts kept in a folder from one start to the next: ports and secrets, mode 0600."""

import os
import re
import secrets
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

LOCALHOST = "127.0.0.1"
PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path`, mode 0600, whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        # On the disk before it has its name: after a power cut an empty password would lock us out.
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The text of `path`; made, and kept there, the first time."""
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8", errors="replace")


def read_or_make_password(path: Path) -> str:
    """A random password without characters that a URL would have to escape."""
    return read_or_make(path, lambda: secrets.token_urlsafe(24))


def choose_port(path: Path) -> int:
    """The port of the last time; another one, kept from now on, if somebody took it or its file is damaged."""
    text = read_or_make(path, lambda: str(find_free_port()))
    port = int(text) if PORT.fullmatch(text) else 0
    if not 0 < port < 1 << 16 or not is_port_free(port):
        port = find_free_port()
        write_private(path, str(port))
    return port


def find_free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
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
