"""The embedded PostgreSQL: what it keeps, and what it is not put off by."""

import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from ops.local.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.quick

# PostgreSQL's protocol, "SSLRequest" and "GSSENCRequest".
SSL_REQUEST, GSS_REQUEST = (80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big")


def test_what_was_committed_survives_a_kill(folder: Path) -> None:
    """Rows that were committed are there after all of PostgreSQL's processes were killed."""
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


def test_a_password_file_that_is_gone_means_a_new_password(folder: Path) -> None:
    """Without its password file PostgreSQL starts with a new password, and the old one is no good."""
    server = EmbeddedPostgres(folder / "server", is_durable=False)
    server.start()
    try:
        old = server.url
        with psycopg.connect(old) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop()
        (server.folder / "password").unlink()
        server.start()
        assert server.url != old
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(old)
    finally:
        server.kill()


def test_a_stale_pid_file_is_no_obstacle(folder: Path) -> None:
    """PostgreSQL starts although its pid file names a living process of somebody else, and leaves that process alone."""
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
            assert _is_answering(server)
            assert stranger.poll() is None
        finally:
            server.kill()
            stranger.kill()


def test_a_program_on_the_servers_port_is_not_told_the_password(folder: Path) -> None:
    """A program that listens on PostgreSQL's port while that is down, and asks for the password in the clear, is not told it."""
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
    """Refuse encryption, ask for the password in the clear, and note what comes."""
    client, _ = thief.accept()
    with client:
        client.settimeout(5)
        while client.recv(4096)[4:8] in {SSL_REQUEST, GSS_REQUEST}:
            client.sendall(b"N")
        client.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))
        heard.append(client.recv(4096))


def _is_answering(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.url, connect_timeout=2) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
