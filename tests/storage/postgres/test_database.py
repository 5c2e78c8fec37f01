"""Databases and raw statements: which errors they raise, and that connections are usable afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.model.errors import NotFound, PermanentError, TransientError
from storage.postgres.database import Database
from storage.postgres.raw_statements import execute_raw
from storage.settings import DatabaseSettings, load


def execute(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """A statement in the driver's words."""
    return execute_raw(connection, statement, {})


def ask_database(database_url: str, story: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
    """Run a story on connections of its own; afterwards all of them answer."""

    async def run() -> None:
        settings = load(DatabaseSettings, {"CARILLON_DATABASE_URL": database_url})
        database = Database(settings, application_name="told")
        try:
            await story(database)
            answers = await asyncio.gather(
                *(database.query(execute, "SELECT 7") for _ in range(10))
            )
            assert answers == [[(7,)]] * 10
        finally:
            await database.close()

    asyncio.run(run())


def test_what_is_refused_never_will_work(database_url: str) -> None:
    """A refused statement raises PermanentError with PostgreSQL's sentence alone, and the connection stays usable."""

    async def story(database: Database) -> None:
        with pytest.raises(PermanentError, match="division by zero"):
            await database.query(execute, "SELECT 1 / 0")

    ask_database(database_url, story)


def test_a_transaction_that_fails_is_rolled_back(database_url: str) -> None:
    """A transaction that fails holds no lock afterwards, and its connection answers the next question."""

    def lock_and_fail(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(77)"))
        raise NotFound("nothing")

    async def story(database: Database) -> None:
        with pytest.raises(NotFound):
            await database.transaction(lock_and_fail)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77"
        assert await database.query(execute, locks) == [(0,)]
        with pytest.raises(PermanentError):
            await database.transaction(execute, "SELECT 1 / 0")

    ask_database(database_url, story)


def test_every_connection_that_was_ended_is_forgotten(database_url: str, engine: Engine) -> None:
    """After a restart of PostgreSQL one question fails, with TransientError, and not one for each connection."""

    async def story(database: Database) -> None:
        await asyncio.gather(*(database.query(execute, "SELECT pg_sleep(0.05)") for _ in range(4)))
        with engine.begin() as other:
            ended = other.execute(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'told'"
                )
            ).scalar_one()
        assert ended > 1
        with pytest.raises(TransientError):
            await database.query(execute, "SELECT 1")

    ask_database(database_url, story)


def test_a_connection_whose_question_was_given_up_is_not_used_again(
    database_url: str, engine: Engine
) -> None:
    """A connection whose question was cancelled is closed and not used for another question."""

    def is_asleep() -> bool:
        with engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity"
                    " WHERE application_name = 'told' AND wait_event = 'PgSleep')"
                )
            ).scalar_one()
            return bool(found)

    async def story(database: Database) -> None:
        asked = asyncio.ensure_future(database.query(execute, "SELECT pg_sleep(10)"))
        await asyncio.to_thread(wait_until, is_asleep, seconds=9)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    ask_database(database_url, story)


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_server_that_takes_no_writes_is_away_for_now(
    database_url: str, engine: Engine, *, is_raw: bool
) -> None:
    """On a server that has become read-only a write is a TransientError; when it takes writes again, the next one goes."""

    def set_read_only(mode: str) -> None:
        with engine.begin() as other:
            name = other.execute(text("SELECT current_database()")).scalar_one()
            other.execute(text("SET transaction_read_only = off"))
            other.execute(
                text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {mode}')
            )

    def write(connection: Connection) -> object:
        statement = "DELETE FROM app_categories WHERE id = 0 RETURNING id"
        if is_raw:
            return execute(connection, statement)
        return connection.execute(text(statement)).all()

    async def story(database: Database) -> None:
        set_read_only("on")
        with pytest.raises(TransientError):
            await database.query(write)
        set_read_only("off")
        # A connection of before would still be read-only: it was dropped.
        assert await database.query(write) == []

    ask_database(database_url, story)


def test_what_was_prepared_before_a_migration_is_prepared_anew(
    database_url: str, engine: Engine
) -> None:
    """A statement whose result has a new column is a TransientError at most once, and works with the next connection."""

    def read(connection: Connection) -> int:
        return len(connection.execute(text("SELECT * FROM app_categories")).keys())

    async def story(database: Database) -> None:
        for _ in range(20):
            assert await database.query(read) == 2
        with engine.begin() as other:
            other.execute(text("ALTER TABLE app_categories ADD COLUMN colour TEXT"))
        with pytest.raises(TransientError):
            await database.query(read)
        for _ in range(3):
            assert await database.query(read) == 3

    ask_database(database_url, story)
