"""What holds for both embedded servers."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from tests import services

pytestmark = pytest.mark.quick

# A supervisor that starts a server, says its pid, and hangs.
SUPERVISOR = """
import sys, time
from pathlib import Path
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
server = {kind}(Path(sys.argv[1]), is_durable=False)
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module", params=[EmbeddedPostgres, EmbeddedValkey])
def shared(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each kind of server, made once: initdb takes seconds."""
    with services.folder() as path:
        made = request.param(path / "server", is_durable=False)
        yield made
        made.kill()


@pytest.fixture
def server(shared: Any) -> Any:
    """Each kind of server, running, whatever the test before did to it."""
    shared.start()
    return shared


def ask(url: str) -> str:
    """Put a question to the server, and return its answer."""
    if url.startswith("postgresql"):
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute("SHOW server_encoding").fetchone()
            return "" if row is None else str(row[0])
    client: Any = redis.Redis.from_url(url, socket_timeout=2)
    with client:
        return str(client.config_get("maxmemory-policy")["maxmemory-policy"])


def test_it_answers_where_its_url_says(server: Any) -> None:
    """A started server answers at its URL: PostgreSQL in UTF-8, and Valkey as one that evicts nothing."""
    assert ask(server.url) in {"UTF8", "noeviction"}


def test_a_stopped_server_leaves_no_process(server: Any) -> None:
    """After `stop` no process of the server is left."""
    pid = server.pid
    server.stop()
    assert server.pid is None
    assert not psutil.pid_exists(pid)


def test_it_comes_back_at_the_same_url(server: Any) -> None:
    """A server that was killed has the same port and password at its next start, also from a new object."""
    url = server.url
    server.kill()
    again = type(server)(server.folder, is_durable=False)
    again.start()
    try:
        assert again.url == url
        assert ask(url)
    finally:
        again.kill()


def test_a_frozen_server_is_silent_until_it_thaws(server: Any) -> None:
    """A frozen server keeps its port and answers nobody; when it is thawed, it answers again."""
    server.freeze()
    with pytest.raises((psycopg.Error, redis.exceptions.TimeoutError)):
        ask(server.url)
    server.thaw()
    assert ask(server.url)


def test_nobody_gets_in_without_the_password(server: Any) -> None:
    """A server refuses a wrong password."""
    password = (server.folder / "password").read_text()
    with pytest.raises((psycopg.OperationalError, redis.exceptions.AuthenticationError)):
        ask(server.url.replace(password, "wrong"))


def test_the_password_is_private(server: Any) -> None:
    """Only its owner can read the file with a server's password."""
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["EmbeddedPostgres", "EmbeddedValkey"])
def test_it_dies_with_its_supervisor(folder: Path, kind: str) -> None:
    """A server ends when its supervisor is killed with SIGKILL."""
    with _supervisor(folder, kind) as supervisor:
        pid = _read_pid(supervisor)
        supervisor.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not _lives(pid), seconds=10)


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
def test_a_left_over_server_is_replaced(folder: Path, kind: Any) -> None:
    """A server that hangs after its supervisor was killed is ended by the next start on its folder."""
    with _supervisor(folder, kind.__name__) as supervisor:
        pid = _read_pid(supervisor)
        for process in [psutil.Process(pid), *psutil.Process(pid).children()]:
            process.suspend()
        supervisor.send_signal(signal.SIGKILL)
    server = kind(folder, is_durable=False)
    server.start()
    try:
        assert server.pid != pid
        assert not _lives(pid)
        assert ask(server.url)
    finally:
        server.kill()


def _supervisor(folder: Path, kind: str) -> subprocess.Popen[str]:
    script = SUPERVISOR.replace("{kind}", kind)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True
    )


def _read_pid(supervisor: subprocess.Popen[str]) -> int:
    assert supervisor.stdout is not None
    lines = iter(supervisor.stdout.readline, "")
    return int(next(line for line in lines if line.strip().isdigit()))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
