"""The embedded servers."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import choose_port
from ops.local.state_files import write_private
from tests import services

pytestmark = pytest.mark.quick

# PostgreSQL's protocol, "SSLRequest" and "GSSENCRequest".
SSL_REQUEST, GSS_REQUEST = (80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big")

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


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's user can reach."""
    with services.folder() as path:
        yield path


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
    """A started server answers at its URL, in UTF-8, and evicts nothing."""
    assert ask(server.url) in {"UTF8", "noeviction"}


def test_a_stopped_server_leaves_no_process(server: Any) -> None:
    """After stop nothing of it runs."""
    pid = server.pid
    server.stop()
    assert server.pid is None
    assert not psutil.pid_exists(pid)


def test_it_comes_back_at_the_same_url(server: Any) -> None:
    """Killed and started again, by a new object too, it has its port and password of before."""
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
    """A frozen server keeps its port and answers nobody; thawed, it answers."""
    server.freeze()
    with pytest.raises((psycopg.Error, redis.exceptions.TimeoutError)):
        ask(server.url)
    server.thaw()
    assert ask(server.url)


def test_what_was_committed_survives_a_kill(folder: Path) -> None:
    """Committed rows are there after SIGKILL of all its processes."""
    server = EmbeddedPostgres(folder / "server")
    server.start()
    try:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.kill()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        server.kill()


def test_nobody_gets_in_without_the_password(server: Any) -> None:
    """A wrong password is refused."""
    password = (server.folder / "password").read_text()
    with pytest.raises((psycopg.OperationalError, redis.exceptions.AuthenticationError)):
        ask(server.url.replace(password, "wrong"))


def test_the_password_is_private(server: Any) -> None:
    """Only its owner can read the password's file."""
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600


def test_a_stale_pid_file_is_no_obstacle(folder: Path) -> None:
    """It starts although its pid file names a living process, which is a stranger and lives on."""
    server = EmbeddedPostgres(folder / "server", is_durable=False)
    server.start()
    pid_file = server.folder / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.kill()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        lines[0] = str(stranger.pid)
        pid_file.write_text("\n".join(lines))
        try:
            server.start()
            assert ask(server.url) == "UTF8"
            assert stranger.poll() is None
        finally:
            server.kill()
            stranger.kill()


@pytest.mark.parametrize("kind", ["EmbeddedPostgres", "EmbeddedValkey"])
def test_it_dies_with_its_supervisor(folder: Path, kind: str) -> None:
    """A supervisor's SIGKILL ends its server."""
    with _supervisor(folder, kind) as supervisor:
        pid = _said(supervisor)
        supervisor.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not _lives(pid), seconds=10)


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
def test_a_left_over_server_is_replaced(folder: Path, kind: Any) -> None:
    """A server that hangs after its supervisor was killed is ended by the next one's start."""
    with _supervisor(folder, kind.__name__) as supervisor:
        pid = _said(supervisor)
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


def power_cut(folder: Path, damage: str) -> None:
    """Leave what Valkey wrote down as a power cut or a dying disk would."""
    data = folder / "appendonlydir"
    [log], [manifest], [base] = (
        list(data.glob(f"*{end}")) for end in (".incr.aof", ".manifest", ".base.rdb")
    )
    if damage == "zeros at the end":
        log.write_bytes(log.read_bytes() + bytes(4096))
    elif damage == "noise in the middle":
        log.write_bytes(log.read_bytes()[:40] + b"*3\r\n$9\r\n\xff" + bytes(range(256)))
    elif damage == "half of the last write":
        log.write_bytes(log.read_bytes()[:-5])
    elif damage == "a list of files that is empty":
        manifest.write_bytes(bytes(80))
    else:
        base.write_bytes(bytes(base.stat().st_size))


@pytest.mark.parametrize(
    ("damage", "is_lost"),
    [
        ("zeros at the end", True),
        ("noise in the middle", True),
        ("half of the last write", False),
        ("a list of files that is empty", True),
        ("a base of zeros", True),
    ],
)
def test_what_valkey_cannot_read_is_set_aside(folder: Path, damage: str, is_lost: bool) -> None:
    """What is in it is disposable, so it starts empty, says so and keeps the files; not where it can read them."""
    said: list[str] = []
    server = EmbeddedValkey(folder / "valkey", say=said.append)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.set("a", "b" * 1000)
        client.config_set("appendfsync", "always")
        client.set("c", "d" * 1000)
    server.kill()
    power_cut(folder / "valkey", damage)
    again = EmbeddedValkey(folder / "valkey", say=said.append)
    again.start()
    with redis.Redis.from_url(again.url) as client:
        assert client.exists("a") == (not is_lost)
        client.set("e", "f")
    assert len(said) == is_lost
    assert (folder / "valkey/appendonlydir.unreadable").exists() == is_lost
    again.stop()
    again.start()
    assert len(said) == is_lost  # it does not happen again
    again.kill()


def test_a_damaged_file_of_the_port_is_no_obstacle(tmp_path: Path) -> None:
    """A port can be chosen anew."""
    for content in (b"", bytes(5), b"99999", b"\xff\xfe"):
        (tmp_path / "port").write_bytes(content)
        port = choose_port(tmp_path / "port")
        assert choose_port(tmp_path / "port") == port


def test_a_taken_port_is_given_up(folder: Path) -> None:
    """When somebody else listens on the kept port, another is taken and kept."""
    with services.valkey() as other:
        write_private(folder / "port", other.url.rpartition(":")[2].partition("/")[0])
        port = choose_port(folder / "port")
        assert str(port) not in other.url
        assert choose_port(folder / "port") == port


def _supervisor(folder: Path, kind: str) -> subprocess.Popen[str]:
    script = SUPERVISOR.replace("{kind}", kind)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True
    )


def _said(supervisor: subprocess.Popen[str]) -> int:
    assert supervisor.stdout is not None
    lines = iter(supervisor.stdout.readline, "")
    return int(next(line for line in lines if line.strip().isdigit()))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_on_the_servers_port_is_not_told_the_password(folder: Path) -> None:
    """While PostgreSQL is down anybody may listen there and ask for it in the clear: the client hangs up."""
    server = EmbeddedPostgres(folder / "server", is_durable=False)
    server.start()
    server.stop()
    heard: list[bytes] = []
    address = urlsplit(server.url)
    with socket.create_server(("127.0.0.1", address.port or 0)) as thief:
        thread = threading.Thread(target=ask_for_password, args=(thief, heard))
        thread.start()
        with pytest.raises(psycopg.OperationalError, match="auth"):
            psycopg.connect(server.variables["CARILLON_DATABASE_URL"], connect_timeout=5)
        thread.join(10)
    assert heard == [b""]


def ask_for_password(thief: socket.socket, heard: list[bytes]) -> None:
    """Refuse encryption, ask for the password as it is, and note what comes."""
    client, _ = thief.accept()
    with client:
        client.settimeout(5)
        while client.recv(4096)[4:8] in {SSL_REQUEST, GSS_REQUEST}:
            client.sendall(b"N")
        client.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
        heard.append(client.recv(4096))
