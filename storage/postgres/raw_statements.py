"""The driver without SQLAlchemy's objects around it, for the statements that every message goes through."""

from collections.abc import Iterable
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, exc

from storage.postgres.driver_errors import is_useless_after


def execute_raw(
    connection: Connection, statement: str, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Run `statement` on the connection's driver, in its transaction, and give all rows of the answer.

    For the two statements that move every message, accepting and persisting: SQLAlchemy's own objects around
    them are a good part of what a batch costs (docs/decisions/0020-sync-sql-in-async-processes.md). Errors are
    SQLAlchemy's, so `driver_errors.py` translates them like any other.
    """
    errors: type[Exception] = connection.dialect.dbapi.Error  # type: ignore[union-attr]
    try:
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    except errors as error:
        if connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            # SQLAlchemy has to meet the closed connection itself: then it drops the pool's other connections too.
            connection.exec_driver_sql("SELECT 1")
        if is_useless_after(error):
            connection.invalidate(error)
        raise exc.DBAPIError.instance(
            None, None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error
    except BaseException as error:
        # Cancelled in the middle of an answer: what is left of it would be read as the next one's.
        connection.invalidate(error)
        raise


def array_literal(ids: Iterable[int]) -> str:
    """Write `ids` as PostgreSQL's text form of an array, for a parameter that the statement casts to bigint[].

    psycopg would write a list item by item in Python, which is slow for a batch of ids.
    """
    return "{" + ",".join(map(str, ids)) + "}"
