"""The passphrase of a backup's secrets: from a file, or asked for."""

import sys
from pathlib import Path

import click

from storage.model.errors import NotAllowed, NotFound

LEAST_CHARACTERS = 8


def read_passphrase(file: Path | None, *, is_new: bool) -> str:
    """The passphrase in `file` (without the line end), or typed at the terminal; a new one is asked for twice.

    Raises NotAllowed if it is too short, or nobody is there to be asked.
    """
    if file is not None:
        try:
            passphrase = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise NotFound(f"The passphrase cannot be read from {file}.") from None
    elif sys.stdin.isatty():
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new)
    else:
        raise NotAllowed(
            "The secrets need a passphrase: --passphrase-file FILE"
            + (", or leave them out: --without-secrets." if is_new else ".")
        )
    if is_new and len(passphrase) < LEAST_CHARACTERS:
        raise NotAllowed(f"A passphrase has at least {LEAST_CHARACTERS} characters.")
    return str(passphrase)
