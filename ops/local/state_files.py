"""Small files that are written whole, mode 0600, and kept from one start to the next: secrets, passwords, ports."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path`, mode 0600: all of it or, whatever happens, nothing. It is on the disk when this returns."""
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
    """The text of `path`. If there is no such file, `make` is called and what it returns is kept there."""
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8", errors="replace")


def read_or_make_password(path: Path) -> str:
    """The password in `path`; the first time a random one (`make_password`)."""
    return read_or_make(path, make_password)


def make_password() -> str:
    """A random password, without characters that a URL or SQL would have to escape."""
    return secrets.token_urlsafe(24)
