"""Operators: found, listed and changed. The acts that change them, with their rows of the audit, are `acts/operators.py`.

Passwords come here as hashes (`storage/keys/passwords.py`). No operator is ever deleted: the audit names them.
"""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from storage.model.operator import Operator, Role
from storage.postgres.tables import console_sessions, operators

_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('carillon operators'))")


def wait_for_turn(connection: Connection) -> None:
    """Let one transaction at a time change operators, from here to its end.

    Otherwise two admins who disable one another at once would wait for one another, or leave nobody.
    """
    connection.execute(_IN_TURN)


def find(connection: Connection, name: str) -> Operator | None:
    """The operator of this name, also a disabled one; None if there is none. Index: operators_pkey."""
    row = connection.execute(select(operators).where(operators.c.name == name)).one_or_none()
    return None if row is None else _read_row(row)


def list_all(connection: Connection) -> list[Operator]:
    """Every operator, also those who are disabled, by name. They are few."""
    rows = connection.execute(select(operators).order_by(operators.c.name))
    return [_read_row(row) for row in rows]


def find_password_hash(connection: Connection, name: str) -> str | None:
    """The hash of an operator's password; None for nobody, and for one who is disabled. Index: operators_pkey."""
    query = select(operators.c.password_hash)
    query = query.where(operators.c.name == name, operators.c.disabled_at.is_(None))
    return connection.execute(query).scalar_one_or_none()


def has_other_admin(connection: Connection, name: str) -> bool:
    """Whether somebody else than `name` is an admin and enabled."""
    query = select(operators.c.name).where(
        operators.c.name != name,
        operators.c.role == Role.ADMIN,
        operators.c.disabled_at.is_(None),
    )
    return connection.execute(query.limit(1)).first() is not None


def add(connection: Connection, name: str, *, role: Role, password_hash: str) -> None:
    """Add an operator; the caller has found that there is none of this name, and has the turn."""
    row = {"name": name, "role": role, "password_hash": password_hash}
    connection.execute(insert(operators).values(row))


def set_role(connection: Connection, name: str, *, role: Role) -> None:
    """Give the operator this role, from their next request on."""
    connection.execute(update(operators).where(operators.c.name == name).values(role=role))


def set_password(connection: Connection, name: str, *, password_hash: str) -> None:
    """Give the operator this password, and end their sessions."""
    changed = update(operators).where(operators.c.name == name)
    connection.execute(changed.values(password_hash=password_hash))
    _end_sessions(connection, name)


def disable(connection: Connection, name: str) -> None:
    """Let the operator sign in no more, and end their sessions."""
    still = (operators.c.name == name) & operators.c.disabled_at.is_(None)
    connection.execute(update(operators).where(still).values(disabled_at=func.clock_timestamp()))
    _end_sessions(connection, name)


def enable(connection: Connection, name: str) -> None:
    """Let the operator sign in again."""
    connection.execute(update(operators).where(operators.c.name == name).values(disabled_at=None))


def _end_sessions(connection: Connection, name: str) -> None:
    # There are about as many sessions as operators.
    connection.execute(console_sessions.delete().where(console_sessions.c.operator == name))


def _read_row(row: Row[Any]) -> Operator:
    return Operator(row.name, Role(row.role), row.created_at, row.disabled_at)
