"""Connections to the record, for blocking and for async processes, and its schema.

Queries are plain functions of a sync `Connection`; async doors reach them through `Database.run`.
Driver errors are translated here, once: PostgreSQL away, full, or too slow is `TransientError`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, exc, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from storage.model.errors import InvalidSettings, PermanentError, TransientError
from storage.postgres import roles, sessions
from storage.postgres.sessions import SessionLimits
from storage.settings import DatabaseSettings, database_url

if TYPE_CHECKING:
    from alembic.config import Config

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Partitions made ahead: scheduled messages may be due in 90 days (contract §2), plus one to spare.
MONTHS_AHEAD = 4

# SQLSTATE classes that say "not now": connection, resources, operator intervention, lock and
# serialization conflicts (PostgreSQL documentation, appendix A).
_LOCK_NOT_AVAILABLE = "55P03"
_TRY_LATER_CLASSES = ("08", "53", "55", "57", "58", "40", "25P03")
# Those that concern the place and not the values: a table or right that is missing fails for everyone.
_PLACE_CLASSES = ("42", "3F", "0A")
# What our own functions raise (migrations).
_SENTENCES = {"55C01": "The database's clock is wrong, so nothing can be accepted now."}


def blocking_engine(
    settings: DatabaseSettings, *, application_name: str, limits: SessionLimits = sessions.COMMAND
) -> Engine:
    """An engine for workers and commands: `pool_size` connections, made when first used."""
    # Asked before use: workers come back to a connection after a while, or after a restart of
    # PostgreSQL, and what they do must not fail for that.
    return create_engine(
        settings.url,
        pool_pre_ping=True,
        connect_args=sessions.connect_args(application_name, limits),
        **_PRIVATE,
        **_pool(settings),
    )


# Parameters are message bodies and names: an error that is logged must not show them.
_PRIVATE = {"hide_parameters": True}


def _pool(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_wait.total_seconds(),
        "pool_recycle": 1800,
        "pool_use_lifo": True,
    }


class BlockingDatabase:
    """The record, for workers: one question after the other, each waited for."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        application_name: str,
        limits: SessionLimits = sessions.COMMAND,
    ) -> None:
        self._engine = blocking_engine(settings, application_name=application_name, limits=limits)

    def transaction(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Ask `question` in a transaction of its own, committed when it returns.

        Raises TransientError when PostgreSQL cannot answer now, PermanentError when it refuses what is asked.
        """
        with translated(), self._engine.begin() as connection:
            return question(connection, *args, **kwargs)

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """One connection for a while, with what belongs to it, such as advisory locks."""
        with translated():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield Session(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class Session:
    """A connection on which every statement is a transaction of its own.

    Half the round trips of a transaction around each, for questions that are one statement.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def is_lost(self) -> bool:
        """Whether PostgreSQL has ended it, and with it its locks."""
        return self._connection.invalidated

    def query(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Ask a question of one statement; raises as `BlockingDatabase.transaction`."""
        with translated():
            return question(self._connection, *args, **kwargs)


class Database:
    """The record, for async processes: every question waits at most as long as the settings say."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        application_name: str,
        limits: SessionLimits = sessions.INGEST,
        tell_wait: Callable[[float], None] = lambda _: None,
        tell_busy: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell_wait` gets the seconds that every question waited for a connection.

        `tell_busy` is called for every one that waited in vain. A statement may take as long as the settings say, or
        as `limits` if that is less.
        """
        self._tell_wait = tell_wait
        self._tell_busy = tell_busy
        statement = min(settings.statement_timeout, limits.statement or settings.statement_timeout)
        limits = replace(limits, statement=statement)
        self._limit_seconds = statement.total_seconds() + 1.0
        # Autocommit is how connections lie in the pool: setting it for each question, and back, costs
        # much of a batch of accepting (docs/decisions/0020-sync-sql-in-async-processes.md).
        self._engine: AsyncEngine = create_async_engine(
            settings.url,
            isolation_level="AUTOCOMMIT",
            # Nothing to roll back there, and psycopg takes its time over it after every question.
            skip_autocommit_rollback=True,
            connect_args=sessions.connect_args(application_name, limits),
            **_PRIVATE,
            **_pool(settings),
        )
        self._each_alone: Engine = self._engine.sync_engine
        self._together: Engine = self._each_alone.execution_options(
            isolation_level="READ COMMITTED"
        )

    async def transaction(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Ask `question` in a transaction of its own, committed when it returns.

        Raises TransientError when PostgreSQL cannot answer now; nothing was committed then, except that a
        commit whose acknowledgement was lost may have happened (retry with an idempotency key).
        Raises PermanentError when it refuses what is asked.
        """
        return await self._answer(self._together.begin, question, *args, **kwargs)

    async def query(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Ask `question`, every statement of which is a transaction of its own.

        One round trip a statement, where `transaction` has two more. Raises as `transaction`.
        """
        return await self._answer(self._each_alone.connect, question, *args, **kwargs)

    async def _answer(
        self,
        opened: Callable[[], AbstractContextManager[Connection]],
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        began = time.perf_counter()

        # One greenlet from connection to connection, where AsyncConnection makes one for each step.
        def answered() -> Result:
            with opened() as connection:
                self._tell_wait(time.perf_counter() - began)
                return question(connection, *args, **kwargs)

        with translated():
            try:
                async with asyncio.timeout(self._limit_seconds):
                    return await greenlet_spawn(answered)
            except exc.TimeoutError:
                self._tell_busy()
                raise

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def execute_raw(
    connection: Connection, statement: str, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """All rows that the driver answers `statement` with; errors are SQLAlchemy's, as everywhere.

    For the two statements that move every message, accepting and persisting: SQLAlchemy's own objects around
    them are a good part of what a batch costs (docs/decisions/0020-sync-sql-in-async-processes.md).
    """
    errors: type[Exception] = connection.dialect.dbapi.Error  # type: ignore[union-attr]
    try:
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    except errors as error:
        if connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            # Let SQLAlchemy meet it: it forgets the pool's other connections too.
            connection.exec_driver_sql("SELECT 1")
        raise exc.DBAPIError.instance(
            None, None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error
    except BaseException as error:  # cancelled: who knows what it would answer next
        connection.invalidate(error)
        raise


def array(ids: Iterable[int]) -> str:
    """`ids` as a parameter that the statement casts to bigint[].

    psycopg writes a list item by item in Python, which shows where a batch of ids goes with every statement.
    """
    return "{" + ",".join(map(str, ids)) + "}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's "not now" into TransientError, and what will never work into PermanentError.

    The latter's detail is PostgreSQL's first line, without the statement and its parameters, which
    may be message bodies.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise TransientError("The database is busy.") from error
    except TimeoutError as error:
        raise TransientError("The database did not answer in time.") from error
    except exc.DBAPIError as error:
        if not _is_passing(error):
            is_about_data = not _state(error).startswith(_PLACE_CLASSES)
            first_line = str(error.orig).splitlines()[0]
            raise PermanentError(first_line, is_about_data=is_about_data) from error
        raise _away(error) from error


class Locked(TransientError):
    """Another session did not let go in time of what this one has to have."""


def _away(error: exc.DBAPIError) -> TransientError:
    if _state(error) == _LOCK_NOT_AVAILABLE:
        return Locked("Another session holds what this needs.")
    return TransientError(_SENTENCES.get(_state(error), "The database cannot be reached."))


def _is_passing(error: exc.DBAPIError) -> bool:
    state = _state(error)
    if not state:
        return error.connection_invalidated or isinstance(error, exc.OperationalError)
    return state.startswith(_TRY_LATER_CLASSES)


def _state(error: exc.DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def answers(connection: Connection) -> bool:
    """Whether the record answers at all; raises otherwise."""
    return bool(connection.execute(text("SELECT true")).scalar_one())


def upgrade(settings: DatabaseSettings, *, patience_seconds: float = 60.0) -> None:
    """Bring the schema up to date; safe to repeat, and for several processes to do at once.

    What others hold is tried for again for `patience_seconds`, with pauses in which they go on; then TransientError.
    """
    as_owner = replace(settings, url=settings.owner_url or settings.url)
    engine = blocking_engine(
        as_owner, application_name="carillon upgrade", limits=sessions.MIGRATION
    )
    application = make_url(settings.url).username if settings.owner_url else None
    until = time.monotonic() + patience_seconds
    try:
        while True:
            try:
                _upgrade(engine, application)
            except Locked:
                if time.monotonic() >= until:
                    raise
                time.sleep(1)
            else:
                return
    finally:
        engine.dispose()


def _upgrade(engine: Engine, application: str | None) -> None:
    from alembic import command  # noqa: PLC0415 (a worker would start later by it, and never needs it)

    with translated(), engine.begin() as connection:
        # One at a time: the lock is held until this transaction ends, which may be long.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('carillon upgrade'))"))
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
        command.upgrade(migrations(connection), "head")
        # Again at every start: a deployment that slept for months must still have this month's.
        connection.execute(text("SELECT add_message_months(:ahead)"), {"ahead": MONTHS_AHEAD})
        if application is not None:
            roles.grant(connection, application)


def settle_roles(settings: DatabaseSettings, *, admin_url: str) -> None:
    """Make the two roles that `settings` name, with the passwords of their URLs, and hand the schema to the owner.

    `admin_url`: the same database as a superuser. Safe to repeat (storage/postgres/roles.py).
    """
    if not settings.owner_url:
        raise InvalidSettings(
            "CARILLON_DATABASE_OWNER_URL must be set: the role that is to own the schema."
        )
    admin = replace(settings, url=database_url(admin_url))
    engine = blocking_engine(admin, application_name="carillon roles", limits=sessions.MIGRATION)
    try:
        with translated(), engine.begin() as connection:
            roles.settle(
                connection,
                owner=roles.role_of(settings.owner_url),
                application=roles.role_of(settings.url),
            )
    finally:
        engine.dispose()


def migrations(connection: Connection) -> "Config":
    """Alembic's view of the migrations in this package, over `connection`."""
    from alembic.config import Config  # noqa: PLC0415 (as in upgrade)

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def missing_migrations(connection: Connection) -> bool:
    """Whether the schema is older than this code."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 (as in upgrade)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    heads = set(ScriptDirectory.from_config(migrations(connection)).get_heads())
    return set(MigrationContext.configure(connection).get_current_heads()) != heads
