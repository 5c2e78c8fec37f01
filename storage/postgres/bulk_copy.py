"""Very many rows into a table, by PostgreSQL's COPY, which SQLAlchemy does not have."""

from collections.abc import Iterable
from typing import Any, cast

import psycopg
from sqlalchemy import Connection

from storage.model.error_codes import ErrorCode
from storage.model.errors import PermanentError, TransientError


def copy_in(conn: Connection, statement: str, lines: Iterable[str]) -> None:
    """Send `lines` to a `COPY ... FROM STDIN`, within the connection's transaction.

    Each string is any number of rows in COPY's text format, with backslashes as they are: they are escaped here. No
    field may hold a tab or a line break. What `lines` raises ends the COPY and is raised. Raises TransientError
    when PostgreSQL is away, PermanentError when it refuses the rows.
    """
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    try:
        with driver.cursor().copy(statement.encode()) as copy:
            for some in lines:
                copy.write(some.replace("\\", "\\\\"))
    except psycopg.OperationalError as error:
        raise TransientError(
            "The database cannot be reached.", code=ErrorCode.DATABASE_AWAY
        ) from error
    except psycopg.Error as error:
        raise PermanentError("The database refuses the rows.") from error
