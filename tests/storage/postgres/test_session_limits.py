"""Limits of sessions: none can hold for long what others wait for."""

import asyncio
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from storage.postgres import session_limits
from storage.postgres.database import BlockingDatabase, Database
from storage.postgres.driver_errors import Locked
from storage.postgres.schema import upgrade
from storage.postgres.session_limits import SessionLimits
from storage.settings import DatabaseSettings, load
from tests.builders import add_people
from tests.faults.proxy import BlackHole

_LOCK = text("SELECT id FROM users WHERE id = 1 FOR UPDATE")
_SHOWN = (
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "client_connection_check_interval",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_keepalives_count",
    "tcp_user_timeout",
)


def settings_of(url: str) -> DatabaseSettings:
    """The settings of a process that uses the database at `url`."""
    return load(DatabaseSettings, {"CARILLON_DATABASE_URL": url})


def show_limits(connection: Connection) -> list[str]:
    """What PostgreSQL says of this session, of _SHOWN."""
    return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in _SHOWN]


def client_side(connection: Connection) -> list[int]:
    """Seconds idle, between probes, probes, milliseconds unacknowledged, of the client's socket."""
    with socket.socket(fileno=connection.connection.driver_connection.fileno()) as own:  # type: ignore[union-attr]
        names = (
            socket.TCP_KEEPIDLE,
            socket.TCP_KEEPINTVL,
            socket.TCP_KEEPCNT,
            socket.TCP_USER_TIMEOUT,
        )
        found = [own.getsockopt(socket.IPPROTO_TCP, name) for name in names]
        own.detach()
    return found


_OF_TCP = ["4", "2", "3", "8000"]


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (session_limits.WORKER, ["10s", "25s", "5s", "5s", "1s", *_OF_TCP]),
        (session_limits.COMMAND, ["30s", "0", "30s", "0", "1s", *_OF_TCP]),
        (session_limits.MIGRATION, ["3s", "0", "30s", "0", "1s", *_OF_TCP]),
    ],
)
def test_a_session_has_its_limits(
    database_url: str, limits: SessionLimits, wanted: list[str]
) -> None:
    """Sessions of workers, commands and migrations have their limits on the server and on both ends of the connection."""
    database = BlockingDatabase(settings_of(database_url), application_name="it", limits=limits)
    assert database.transaction(show_limits) == wanted
    assert database.transaction(client_side) == [4, 2, 3, 8000]
    database.close()


def test_a_session_of_ingest_has_its_limits(database_url: str) -> None:
    """A session of ingest has the statement limit of the settings and the lock limit of its kind."""

    async def ask() -> tuple[list[str], list[int]]:
        database = Database(settings_of(database_url), application_name="it")
        try:
            return await database.query(show_limits), await database.query(client_side)
        finally:
            await database.close()

    limits, ends = asyncio.run(ask())
    assert limits == ["3s", "10s", "5s", "0", "1s", *_OF_TCP]
    assert ends == [4, 2, 3, 8000]


def test_a_frozen_process_does_not_keep_its_locks(database_url: str, engine: Engine) -> None:
    """When ingest hangs within a transaction, PostgreSQL ends its session, and a worker that waited goes on."""
    with engine.begin() as connection:
        add_people(connection, [1])
    base, _, path = database_url.rpartition("/")
    limits = replace(session_limits.INGEST, idle_in_transaction=timedelta(seconds=1))
    frozen, thawed = threading.Event(), threading.Event()
    with BlackHole(base) as proxy:
        credentials = base.partition("://")[2].rpartition("@")[0]
        url = f"postgresql://{credentials}@{proxy.url.removeprefix('http://')}/{path}"
        database = Database(settings_of(url), application_name="frozen", limits=limits)

        def hang(connection: Connection) -> None:
            connection.execute(_LOCK)
            proxy.is_black = True
            frozen.set()
            thawed.wait(20)

        async def run() -> None:
            with pytest.raises(Exception, match="database"):
                await database.transaction(hang)

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        assert frozen.wait(10)
        worker = BlockingDatabase(
            settings_of(database_url), application_name="worker", limits=session_limits.WORKER
        )
        began = time.monotonic()
        worker.transaction(lambda connection: connection.execute(_LOCK))
        assert time.monotonic() - began < session_limits.WORKER.lock.total_seconds()  # type: ignore[union-attr]
        worker.close()
        thawed.set()
        thread.join(30)


def test_an_upgrade_does_not_queue_everybody_up_behind_a_lock(
    database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade that waits for a reader's lock gives way, tries again, and raises Locked when its patience ends."""
    short = replace(session_limits.MIGRATION, lock=timedelta(milliseconds=50))
    monkeypatch.setattr(session_limits, "MIGRATION", short)
    with engine.begin() as other:
        other.execute(text("UPDATE alembic_version SET version_num = '0004'"))
        other.execute(text("ALTER TABLE accepted DROP COLUMN IF EXISTS origin"))
    with engine.begin() as reader:
        reader.execute(text("SELECT count(*) FROM accepted"))
        with pytest.raises(Locked):
            upgrade(settings_of(database_url), patience_seconds=0)


def test_a_lock_that_is_not_had_in_time_is_for_later(database_url: str, engine: Engine) -> None:
    """A question that does not get its lock in time raises TransientError instead of waiting on."""
    with engine.begin() as connection:
        add_people(connection, [1])
    limits = replace(session_limits.INGEST, lock=timedelta(milliseconds=100))

    async def ask() -> None:
        database = Database(settings_of(database_url), application_name="it", limits=limits)
        try:
            with pytest.raises(Locked, match="Another session"):
                await database.transaction(lambda connection: connection.execute(_LOCK))
        finally:
            await database.close()

    with engine.begin() as holding:
        holding.execute(_LOCK)
        asyncio.run(ask())
