"""Operators: list and add them, let them in and out, give them another role or password.

A password that an admin gives to somebody else is made here and shown once; who got it chooses their own after that.
"""

import asyncio
from typing import Annotated, Any

from pydantic import Field

from ingest.console.visit import Visit
from ingest.models.requests import RequestModel
from storage.keys import passwords
from storage.model.errors import CallerError, invalid
from storage.model.operator import Operator, Role, check_operator_name
from storage.postgres import operators
from storage.postgres.acts import operators as acts


class NewOperatorBody(RequestModel):
    """An operator to be added."""

    name: Annotated[str, Field(max_length=255)]
    role: Annotated[Role, Field(strict=False)]


class RoleBody(RequestModel):
    """Another role."""

    role: Annotated[Role, Field(strict=False)]


async def list_operators(visit: Visit) -> list[dict[str, Any]]:
    """Every operator, also those who are disabled."""
    found = await visit.services.database.query(operators.list_all)
    return [_show(one) for one in found]


async def add(visit: Visit) -> dict[str, Any]:
    """Add an operator; the answer has their first password. Raises Invalid, InConflict."""
    body = await visit.read_body(NewOperatorBody)
    name = body.name.strip().lower()
    try:
        check_operator_name(name)
    except CallerError as error:
        raise invalid("name", error.detail) from error
    password, password_hash = await _make_password()
    made = await visit.services.database.transaction(
        acts.add, visit.actor, name=name, role=body.role, password_hash=password_hash
    )
    return _show(made) | {"password": password}


async def disable(visit: Visit) -> dict[str, Any]:
    """Let an operator in no more; their sessions end. Raises NotFound, InConflict."""
    return _show(
        await visit.services.database.transaction(
            acts.disable, visit.actor, name=visit.name, has_token=_has_token(visit)
        )
    )


async def enable(visit: Visit) -> dict[str, Any]:
    """Let an operator in again. Raises NotFound."""
    return _show(
        await visit.services.database.transaction(acts.enable, visit.actor, name=visit.name)
    )


async def change_role(visit: Visit) -> dict[str, Any]:
    """Give an operator another role. Raises NotFound, InConflict, Invalid."""
    body = await visit.read_body(RoleBody)
    return _show(
        await visit.services.database.transaction(
            acts.change_role,
            visit.actor,
            name=visit.name,
            role=body.role,
            has_token=_has_token(visit),
        )
    )


async def renew_password(visit: Visit) -> dict[str, Any]:
    """Give an operator a new password, which is in the answer; their sessions end. Raises NotFound."""
    password, password_hash = await _make_password()
    changed = await visit.services.database.transaction(
        acts.change_password, visit.actor, name=visit.name, password_hash=password_hash
    )
    return _show(changed) | {"password": password}


async def _make_password() -> tuple[str, str]:
    password = passwords.make_password()
    return password, await asyncio.to_thread(passwords.hash_password, password)


def _has_token(visit: Visit) -> bool:
    return bool(visit.services.settings.console_token)


def _show(one: Operator) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "created_at": one.created_at.isoformat(),
        "disabled_at": None if one.disabled_at is None else one.disabled_at.isoformat(),
    }
