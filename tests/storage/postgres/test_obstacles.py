"""Why PostgreSQL cannot be used: the one true cause, told apart on a real server."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.postgres.obstacles import find_obstacle
from storage.reachability import Cause
from tests import services

SECONDS = 2.0


def change(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    place: str | None = None,
    path: str | None = None,
    query: str | None = None,
) -> str:
    """`url` with other parts."""
    parts = urlsplit(url)
    who = f"{user or parts.username}:{parts.password if password is None else password}"
    where = place or parts.netloc.rpartition("@")[2]
    return parts._replace(
        netloc=f"{who}@{where}",
        path=parts.path if path is None else path,
        query=parts.query if query is None else query,
    ).geturl()


def find_cause(url: str) -> Cause | None:
    """The cause, if there is an obstacle. No text of it may have a password."""
    obstacle = find_obstacle(url, seconds=SECONDS)
    if obstacle is None:
        return None
    assert str(urlsplit(url).password) not in f"{obstacle.where} {obstacle.text}"
    return obstacle.cause


def test_a_server_that_takes_us_is_no_obstacle(database_url: str) -> None:
    """With the right URL there is no obstacle, in the form of the settings too."""
    assert find_cause(database_url) is None
    assert find_cause(database_url.replace("postgresql://", "postgresql+psycopg://")) is None


def test_every_cause_is_told_apart(database_url: str) -> None:
    """A wrong password, a database or a host that does not exist, and a dead server are four causes."""
    causes = {
        Cause.WRONG_PASSWORD: change(database_url, password="wrong-password"),
        Cause.UNKNOWN_DATABASE: change(database_url, path="/no_such_database"),
        Cause.UNKNOWN_HOST: change(database_url, place="no.such.invalid:5432"),
        Cause.NOBODY_LISTENS: change(database_url, place="127.0.0.1:1"),
        Cause.NO_TLS: change(database_url, query="sslmode=require"),
        Cause.MALFORMED: change(database_url, query="no_such_option=1"),
    }
    assert {cause: find_cause(url) for cause, url in causes.items()} == {one: one for one in causes}


def test_a_missing_password_is_named(database_url: str) -> None:
    """No password at all is not a wrong one."""
    parts = urlsplit(database_url)
    bare = parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl()
    assert find_cause(bare) is Cause.NO_PASSWORD


def test_another_kind_of_server_does_not_pass(
    database_url: str, valkey_server: EmbeddedValkey
) -> None:
    """A server that does not speak our protocol is not taken for a PostgreSQL that refuses a password."""
    place = urlsplit(valkey_server.url).netloc.rpartition("@")[2]
    assert find_cause(change(database_url, place=place)) in {Cause.SILENT, Cause.WRONG_SERVER}


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that a test may change."""
    with services.folder() as folder:
        server = EmbeddedPostgres(folder / "postgres", is_durable=False)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def test_who_may_not_come_in_is_told_so(own_server: EmbeddedPostgres) -> None:
    """A machine that pg_hba.conf does not list, and a server without free connections, are causes of their own."""
    data = own_server.folder / "data"
    with psycopg.connect(own_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'hidden' CONNECTION LIMIT 0")
        app = change(own_server.url, user="app", password="hidden")
        assert find_cause(app) is Cause.FULL
        (data / "pg_hba.conf").write_text("host all all 192.0.2.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
        assert wait_until(lambda: find_cause(app) is Cause.NOT_ALLOWED, seconds=10)


def test_a_frozen_server_is_silent(own_server: EmbeddedPostgres) -> None:
    """A server that takes connections and never answers is neither dead nor forbidding."""
    own_server.freeze()
    try:
        assert find_cause(own_server.url) is Cause.SILENT
    finally:
        own_server.thaw()
