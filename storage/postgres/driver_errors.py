"""The driver's errors as our own: what PostgreSQL cannot do now, and what it will never do.

Used where a connection is asked something (`database.py`, `schema.py`) and nowhere else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import ExceptionContext

from storage.model.error_codes import ErrorCode
from storage.model.errors import PermanentError, TransientError

_LOCK_NOT_AVAILABLE = "55P03"
# A server that takes no writes: a standby that was the primary before, or one whose disk its host has closed.
_READ_ONLY = "25006"
# Where PostgreSQL finds that a prepared statement of this connection no longer fits, after a migration.
_PLAN_CHECK = "RevalidateCachedQuery"
# SQLSTATE classes that say "not now": connection, resources, operator intervention, lock and
# serialization conflicts (PostgreSQL documentation, appendix A).
_TRY_LATER_CLASSES = ("08", "53", "55", "57", "58", "40", "25P03")
# SQLSTATE classes that concern the place and not the values: a missing table or right fails for everyone.
_PLACE_CLASSES = ("42", "3F", "0A")
# What our own functions in the schema raise (see the migrations).
_SENTENCES = {"55C01": "The database's clock is wrong, so nothing can be accepted now."}


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Turn what SQLAlchemy raises into our own errors: TransientError for "not now", PermanentError for "never".

    PostgreSQL away, full, restarting or too slow is a TransientError; a lock that was not given in time is
    `Locked`. The detail of a PermanentError is PostgreSQL's first line, without the statement and its parameters,
    which may be message bodies.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise TransientError("The database is busy.", code=ErrorCode.DATABASE_AWAY) from error
    except TimeoutError as error:
        raise TransientError(
            "The database did not answer in time.", code=ErrorCode.DATABASE_AWAY
        ) from error
    except exc.DBAPIError as error:
        if not _is_transient(error):
            is_about_data = not _sqlstate(error).startswith(_PLACE_CLASSES)
            first_line = str(error.orig).splitlines()[0]
            raise PermanentError(first_line, is_about_data=is_about_data) from error
        raise _make_transient(error) from error


class Locked(TransientError):
    """Another session holds a lock that this one needs, and did not release it in time."""


def _make_transient(error: exc.DBAPIError) -> TransientError:
    if _sqlstate(error) == _LOCK_NOT_AVAILABLE:
        return Locked("Another session holds what this needs.", code=ErrorCode.DATABASE_AWAY)
    sentence = _SENTENCES.get(_sqlstate(error), "The database cannot be reached.")
    return TransientError(sentence, code=ErrorCode.DATABASE_AWAY)


def drop_useless_connections(engine: Engine) -> None:
    """Have the engine close all of its connections once one meets an error that it would meet again (`is_useless_after`)."""

    @event.listens_for(engine, "handle_error")
    def note(context: ExceptionContext) -> None:
        if is_useless_after(context.original_exception):
            context.is_disconnect = True


def is_useless_after(error: BaseException) -> bool:
    """Whether a connection that met this error of the driver is of no more use, though it is open.

    Its server takes no writes any more, or has a new schema, on which what it prepared before does not run. Another
    connection may do what this one could not.
    """
    if getattr(error, "sqlstate", None) == _READ_ONLY:
        return True
    return getattr(getattr(error, "diag", None), "source_function", None) == _PLAN_CHECK


def _is_transient(error: exc.DBAPIError) -> bool:
    if error.orig is not None and is_useless_after(error.orig):
        return True
    state = _sqlstate(error)
    if not state:
        return error.connection_invalidated or isinstance(error, exc.OperationalError)
    return state.startswith(_TRY_LATER_CLASSES)


def _sqlstate(error: exc.DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
