"""Acts upon operators: add one, let in and out, another role, another password.

Each raises NotFound for a name that nobody has. None may leave a deployment without an admin who can sign in.
"""

from sqlalchemy import Connection

from storage.model.error_codes import ErrorCode
from storage.model.errors import InConflict, NotFound
from storage.model.operator import Actor, Operator, Role, check_operator_name
from storage.postgres import audit, operators


def add(
    connection: Connection, actor: Actor, *, name: str, role: Role, password_hash: str
) -> Operator:
    """Add an operator. Raises InConflict if the name is taken, also by one who is disabled; CallerError for a bad name."""
    check_operator_name(name)
    operators.wait_for_turn(connection)
    if operators.find(connection, name) is not None:
        raise InConflict(f"There already is an operator {name}.", code=ErrorCode.OPERATOR_EXISTS)
    operators.add(connection, name, role=role, password_hash=password_hash)
    _record(connection, actor, "operator.add", name, after={"role": role})
    return _find(connection, name)


def disable(connection: Connection, actor: Actor, *, name: str, has_token: bool) -> Operator:
    """Let an operator in no more; their sessions end with this commit, in every process. Safe to repeat.

    `has_token`: there is an operator's token, so that admins may all be disabled. Raises InConflict for the last one
    without it.
    """
    before = _begin(connection, name)
    _check_admin_is_left(connection, before, has_token=has_token)
    # First, so that an operator may disable themselves: afterwards they could not sign it.
    _record(connection, actor, "operator.disable", name, before={"role": before.role})
    operators.disable(connection, name)
    return _find(connection, name)


def enable(connection: Connection, actor: Actor, *, name: str) -> Operator:
    """Let an operator in again, with the password that they had. Safe to repeat."""
    found = _begin(connection, name)
    operators.enable(connection, name)
    _record(connection, actor, "operator.enable", name, after={"role": found.role})
    return _find(connection, name)


def change_role(
    connection: Connection, actor: Actor, *, name: str, role: Role, has_token: bool
) -> Operator:
    """Give an operator another role; it applies from their next request on. Raises InConflict as `disable` does."""
    before = _begin(connection, name)
    if role is not Role.ADMIN:
        _check_admin_is_left(connection, before, has_token=has_token)
    _record(
        connection,
        actor,
        "operator.role",
        name,
        before={"role": before.role},
        after={"role": role},
    )
    operators.set_role(connection, name, role=role)
    return _find(connection, name)


def change_password(
    connection: Connection, actor: Actor, *, name: str, password_hash: str
) -> Operator:
    """Give an operator another password; their sessions end."""
    _begin(connection, name)
    operators.set_password(connection, name, password_hash=password_hash)
    _record(connection, actor, "operator.password", name)
    return _find(connection, name)


def _begin(connection: Connection, name: str) -> Operator:
    operators.wait_for_turn(connection)
    return _find(connection, name)


def _find(connection: Connection, name: str) -> Operator:
    found = operators.find(connection, name)
    if found is None:
        raise NotFound(f"There is no operator {name[:80]}.", code=ErrorCode.UNKNOWN_OPERATOR)
    return found


def _check_admin_is_left(connection: Connection, one: Operator, *, has_token: bool) -> None:
    is_admin = one.role is Role.ADMIN and one.disabled_at is None
    if is_admin and not has_token and not operators.has_other_admin(connection, one.name):
        raise InConflict(
            f"{one.name} is the last admin, and CARILLON_CONSOLE_TOKEN is not set: nobody could let anybody in again.",
            code=ErrorCode.LAST_ADMIN,
        )


def _record(
    connection: Connection,
    actor: Actor,
    act: str,
    name: str,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(connection, actor, act=act, target=f"operator {name}", before=before, after=after)
