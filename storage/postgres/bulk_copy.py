"""Very many rows into a table: PostgreSQL's COPY, the one thing here that is not SQLAlchemy's."""

from collections.abc import Iterable
from typing import Any, cast

import psycopg
from sqlalchemy import Connection

from storage.model.errors import PermanentError, TransientError


def copy_in(conn: Connection, statement: str, lines: Iterable[str]) -> None:
    """Send `lines` to a `COPY ... FROM STDIN`, within the connection's transaction.

    A string is any number of rows in COPY's text format, but with backslashes as they are: they are
    escaped here. The caller sees to it that no field holds a tab or a line break. What `lines` raises
    ends the COPY and is raised.
    """
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    try:
        with driver.cursor().copy(statement.encode()) as copy:
            for some in lines:
                copy.write(some.replace("\\", "\\\\"))
    except psycopg.OperationalError as error:
        raise TransientError("The database cannot be reached.") from error
    except psycopg.Error as error:
        raise PermanentError("The database refuses the rows.") from error
