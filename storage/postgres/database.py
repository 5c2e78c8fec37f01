"""Connections to the record, for blocking processes (workers, commands) and for asynchronous ones (ingest).

Every query is a plain function of a synchronous SQLAlchemy `Connection`. An asynchronous process runs it through
`Database`, so each query is written once (docs/decisions/0020-sync-sql-in-async-processes.md). Nothing here knows what
is asked.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, exc
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from storage.postgres import session_limits
from storage.postgres.driver_errors import drop_useless_connections, translate_driver_errors
from storage.postgres.session_limits import SessionLimits
from storage.settings import DatabaseSettings

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def make_blocking_engine(
    settings: DatabaseSettings,
    *,
    application_name: str,
    limits: SessionLimits = session_limits.COMMAND,
) -> Engine:
    """An engine for workers and commands: up to `pool_size` connections, opened when first used."""
    # Pinged before use: workers come back to a connection after a while, or after a restart of
    # PostgreSQL, and what they do must not fail for that.
    engine = create_engine(
        settings.url,
        pool_pre_ping=True,
        connect_args=session_limits.build_connect_args(application_name, limits),
        **_PRIVATE,
        **_build_pool_options(settings),
    )
    drop_useless_connections(engine)
    return engine


# Parameters are message bodies and names: an error that is logged must not show them.
_PRIVATE = {"hide_parameters": True}


def _build_pool_options(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_wait.total_seconds(),
        "pool_recycle": 1800,
        "pool_use_lifo": True,
    }


class BlockingDatabase:
    """The record, for workers and commands: every call blocks until PostgreSQL has answered."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        application_name: str,
        limits: SessionLimits = session_limits.COMMAND,
    ) -> None:
        self._engine = make_blocking_engine(
            settings, application_name=application_name, limits=limits
        )

    def transaction(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Run `question` in a transaction of its own, which is committed when `question` returns.

        What `question` raises rolls the transaction back. Raises TransientError when PostgreSQL cannot answer now,
        PermanentError when it refuses what is asked.
        """
        with translate_driver_errors(), self._engine.begin() as connection:
            return question(connection, *args, **kwargs)

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """Keep one connection for a while, with what belongs to it, such as advisory locks.

        It is given back at the end, whatever happens. Raises TransientError when there is none.
        """
        with translate_driver_errors():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            yield Session(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class Session:
    """A connection on which every statement is a transaction of its own (autocommit).

    It saves the round trips of BEGIN and COMMIT for questions that are one statement.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def is_lost(self) -> bool:
        """Whether PostgreSQL has ended the connection, and released its locks."""
        return self._connection.invalidated

    def query(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Run a question of one statement, committed when it returns.

        Raises TransientError when PostgreSQL cannot answer now, PermanentError when it refuses what is asked.
        """
        with translate_driver_errors():
            return question(self._connection, *args, **kwargs)


class Database:
    """The record, for asynchronous processes: no question takes longer than the settings allow."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        application_name: str,
        limits: SessionLimits = session_limits.INGEST,
        tell_wait: Callable[[float], None] = lambda _: None,
        tell_busy: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell_wait` is called with the seconds that a question waited for its connection.

        `tell_busy` is called for every question that waited in vain. A statement may take as long as the settings
        or `limits` allow, whichever is less.
        """
        self._tell_wait = tell_wait
        self._tell_busy = tell_busy
        statement = min(settings.statement_timeout, limits.statement or settings.statement_timeout)
        limits = replace(limits, statement=statement)
        self._limit_seconds = statement.total_seconds() + 1.0
        # Connections lie in the pool in autocommit mode: setting it for each question, and back, would cost
        # much of a batch of accepting (docs/decisions/0020-sync-sql-in-async-processes.md).
        self._engine: AsyncEngine = create_async_engine(
            settings.url,
            isolation_level="AUTOCOMMIT",
            # There is nothing to roll back then, and psycopg's rollback after every question is slow.
            skip_autocommit_rollback=True,
            connect_args=session_limits.build_connect_args(application_name, limits),
            **_PRIVATE,
            **_build_pool_options(settings),
        )
        self._autocommit: Engine = self._engine.sync_engine
        drop_useless_connections(self._autocommit)
        self._transactional: Engine = self._autocommit.execution_options(
            isolation_level="READ COMMITTED"
        )

    async def transaction(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Run `question` in a transaction of its own, which is committed when `question` returns.

        Raises TransientError when PostgreSQL cannot answer now. Nothing was committed then, with one exception: a
        commit whose acknowledgement was lost may have happened (a send is repeated safely with an idempotency
        key). Raises PermanentError when PostgreSQL refuses what is asked.
        """
        return await self._run(self._transactional.begin, question, *args, **kwargs)

    async def query(
        self,
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Run `question`, every statement of which is a transaction of its own (autocommit).

        It saves the two round trips of BEGIN and COMMIT. Raises TransientError when PostgreSQL cannot answer now,
        PermanentError when it refuses what is asked.
        """
        return await self._run(self._autocommit.connect, question, *args, **kwargs)

    async def _run(
        self,
        open_connection: Callable[[], AbstractContextManager[Connection]],
        question: Callable[Concatenate[Connection, Parameters], Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        began = time.perf_counter()

        # One greenlet for the whole question, where AsyncConnection makes one for each step
        # (docs/decisions/0020-sync-sql-in-async-processes.md).
        def ask() -> Result:
            with open_connection() as connection:
                self._tell_wait(time.perf_counter() - began)
                return question(connection, *args, **kwargs)

        with translate_driver_errors():
            try:
                async with asyncio.timeout(self._limit_seconds):
                    return await greenlet_spawn(ask)
            except exc.TimeoutError:
                self._tell_busy()
                raise

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
