"""Operators: the people who run a deployment, what each role of theirs may do, and who is behind an act. Pure.

Used by the console, the commands and whatever writes the audit (`storage/postgres/audit.py`). A business person's role
(`storage/model/caller.py`) is another thing: it is the organisation's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from storage.model.errors import CallerError

# The one operator that is no row: who signed in with CARILLON_CONSOLE_TOKEN.
FIRST_ADMIN: Final = "token"
# Who did it when nobody asked: the deployment itself, such as a pause that ends at its time.
SYSTEM: Final = "carillon"
# It stands before the name of the account that ran a command. No operator's name has a colon.
CLI: Final = "cli:"
_RESERVED = frozenset({FIRST_ADMIN, SYSTEM})
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Role(StrEnum):
    """How much an operator may do; each role may do all that the one before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a role may allow: to look, to steer what is under way, to read what people wrote, to manage the rest."""

    LOOK = "look"
    STEER = "steer"
    READ_CONTENT = "read-content"
    MANAGE = "manage"


_VIEWER = frozenset({Permission.LOOK})
_OPERATOR = _VIEWER | {Permission.STEER}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {Role.VIEWER: _VIEWER, Role.OPERATOR: _OPERATOR, Role.ADMIN: frozenset(Permission)}
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where: what the audit says of it.

    `name`: an operator's, FIRST_ADMIN, SYSTEM, or CLI and an account of the machine. `request_id` and `address` are empty
    where there is none; of a command `address` is the machine's name.
    """

    name: str
    role: Role
    request_id: str = ""
    address: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it is an operator with a row of its own, who may have been disabled a moment ago."""
        return is_operator_name(self.name)

    def may(self, permission: Permission) -> bool:
        """Whether the actor's role allows it."""
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator; `disabled_at` is None while they may sign in."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has an open session: an operator's name, or FIRST_ADMIN, and the role of this moment."""

    name: str
    role: Role


def check_operator_name(name: str) -> None:
    """Raise CallerError if no operator may have this name."""
    if not is_operator_name(name):
        raise CallerError(
            f"“{name[:80]}” cannot be an operator's name: up to 64 lower-case letters, digits and . _ @ -, "
            "a letter or digit first, and neither token nor carillon."
        )


def is_operator_name(name: str) -> bool:
    """Whether an operator may have this name: lower-case letters, digits and `. _ @ -`; up to 64, none of ours."""
    return _NAME.fullmatch(name) is not None and name not in _RESERVED
