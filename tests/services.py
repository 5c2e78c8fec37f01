"""Real servers and real processes for tests, on free ports and in folders of their own."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from ops.bench.bench_environment import UNLIMITED
from ops.cli.up import is_stack_ready
from ops.local.child import Child
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.log_files import read_log_end
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from ops.local.stack import build_servers, prepare_environment, prepare_programs
from storage.keys.tokens import TokenSettings, issue_token
from storage.postgres.schema import upgrade
from storage.settings import DatabaseSettings, load

# Long enough for every algorithm, and the same in every test: a failure can be looked at later.
SECRETS = {
    "CARILLON_JWT_SECRET": "a secret of the tests, which is long enough for all of HS256 to HS512",
    "CARILLON_SECRETS_KEY": "dGhlIHRlc3RzIHNlYWwgYXBwIHNlY3JldHMgd2l0aCE=",
    "CARILLON_MEDIA_KEY": "the tests sign media URLs with this",
}

# The endpoints of apps are servers of the test.
APPS_HERE = {"CARILLON_CALLBACK_ALLOWED": "127.0.0.0/8"}

_numbers = count(1)


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder that PostgreSQL's user can pass through (pytest's own cannot be), then removed."""
    path = Path(tempfile.mkdtemp(prefix="carillon-test-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL whose database is migrated and serves as the template of `database`."""
    with folder() as path:
        server = EmbeddedPostgres(path / "postgres", is_durable=False)
        server.start()
        try:
            upgrade(load(DatabaseSettings, {"CARILLON_DATABASE_URL": server.url}))
            yield server
        finally:
            server.kill()


@contextmanager
def valkey() -> Iterator[EmbeddedValkey]:
    """A Valkey that keeps nothing."""
    with folder() as path:
        server = EmbeddedValkey(path / "valkey", is_durable=False)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def database(server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a fresh migrated database, dropped afterwards with everybody who is still connected."""
    template = urlsplit(server.url).path.removeprefix("/")
    name = f"test_{next(_numbers)}"
    with psycopg.connect(in_database(server.url, "postgres"), autocommit=True) as connection:
        # FILE_COPY: a tenth of the default's time, which writes every block to the log.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")  # type: ignore[call-overload,unused-ignore]
        try:
            yield in_database(server.url, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload,unused-ignore]


@contextmanager
def empty_database(server: EmbeddedPostgres, name: str) -> Iterator[str]:
    """The URL of a new database without tables, dropped afterwards."""
    with psycopg.connect(in_database(server.url, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[call-overload,unused-ignore]
        try:
            yield in_database(server.url, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload,unused-ignore]


def in_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def flush(server: EmbeddedValkey) -> None:
    """Empty every database of `server`."""
    client: Any = redis.Redis.from_url(server.url)
    with client:
        client.flushall()


class Stack:
    """The servers and processes of `carillon up`, each of which can be killed, frozen and started.

    Nothing restarts what dies. Names: postgres, valkey, web, worker-sends, worker-broadcasts,
    worker-upkeep, worker-callbacks, beat.
    """

    def __init__(self, path: Path, **settings: str) -> None:
        """Nothing runs yet. `settings` are CARILLON_* variables; a server that has a URL is not run."""
        foreign = {
            name: text for name, text in os.environ.items() if not name.startswith("CARILLON_")
        }
        own = {"CARILLON_DATA_DIR": str(path), "CARILLON_PORT": str(find_free_port())}
        self.environ = prepare_environment(
            foreign | own | SECRETS | UNLIMITED | APPS_HERE | settings
        )
        self.servers = {
            server.name: server for server in build_servers(self.environ, is_durable=False)
        }
        self.processes: dict[str, Child] = {}

    @property
    def url(self) -> str:
        """Where HTTP is, without a slash at the end."""
        return f"http://127.0.0.1:{self.environ['CARILLON_PORT']}"

    @property
    def socket_url(self) -> str:
        """Where the message socket is; `?token=…` is to be added."""
        return f"{self.url.replace('http', 'ws', 1)}/api/v1/ws/messages"

    @property
    def database_url(self) -> str:
        """The record as its superuser, for tests that look into it, and break it."""
        embedded = self.servers.get("postgres")
        return self.environ["CARILLON_DATABASE_URL"] if embedded is None else embedded.url

    def __getitem__(self, name: str) -> EmbeddedPostgres | EmbeddedValkey | Child:
        """The server or process of that name: launch, stop, kill, freeze, thaw, pid, log."""
        return self.servers[name] if name in self.servers else self.processes[name]

    def start(self) -> None:
        """Start everything that does not run, and wait until it is ready."""
        for server in self.servers.values():
            server.start()
            server.set_up()
            self.environ |= server.variables
        if not self.processes:
            upgrade(load(DatabaseSettings, self.environ))
            self.processes = {
                program.name: Child(program) for program in prepare_programs(self.environ)
            }
        for process in self.processes.values():
            process.launch()
        self.wait_ready()

    def wait_ready(self, *, seconds: float = 60.0) -> None:
        """Wait until the stack says that it can take work; else fail with the web process's log."""
        if not wait_until(lambda: is_stack_ready(self.url), seconds=seconds):
            log = read_log_end(self.processes["web"].log, lines=40)
            raise AssertionError(f"not ready after {seconds:g} s; the log of web ends with:\n{log}")

    def stop(self) -> None:
        """Stop everything in good order; what it stored is there at the next start."""
        for process in self.processes.values():
            process.ask_to_stop()
        for process in self.processes.values():
            process.stop()
        for server in reversed(self.servers.values()):
            server.stop()

    def kill(self) -> None:
        """End everything at once."""
        for process in self.processes.values():
            process.kill()
        for server in self.servers.values():
            server.kill()


@contextmanager
def stack(**settings: str) -> Iterator[Stack]:
    """A running stack in a folder of its own; killed at the end."""
    with folder() as path:
        running = Stack(path, **settings)
        try:
            running.start()
            yield running
        finally:
            running.kill()


@contextmanager
def web(*, database_url: str, valkey_url: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """REST and sockets alone, in a process of their own: their URL and settings. Killed at the end."""
    with folder() as path:
        given = dict(environment(database_url=database_url, valkey_url=valkey_url, data=path))
        environ = prepare_environment(os.environ | given | {"CARILLON_PORT": str(find_free_port())})
        [process] = [Child(one) for one in prepare_programs(environ) if one.name == "web"]
        url = f"http://127.0.0.1:{environ['CARILLON_PORT']}"
        try:
            process.launch()
            assert wait_until(lambda: is_stack_ready(url), seconds=60), read_log_end(process.log)
            yield url, environ
        finally:
            process.kill()


def bearer(environ: Mapping[str, str], user_id: int) -> dict[str, str]:
    """The headers of a person's calls."""
    token = issue_token(load(TokenSettings, environ), user_id, ttl_seconds=600, now=time.time())
    return {"Authorization": f"Bearer {token}"}


def environment(*, database_url: str, valkey_url: str, data: Path) -> Mapping[str, str]:
    """The CARILLON_* variables of a deployment that uses these servers."""
    return (
        SECRETS
        | UNLIMITED
        | {
            "CARILLON_DATABASE_URL": database_url,
            "CARILLON_VALKEY_URL": valkey_url,
            "CARILLON_DATA_DIR": str(data),
            "CARILLON_PUBLIC_URL": "http://carillon.test",
        }
    )
