"""Who is asking: a signed-in person or a business app (contract §1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One row of `users`."""

    id: int
    mobile: str
    name: str
    english_name: str
    status: str
    role: str
    is_deleted: bool

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in, send and receive."""
        return self.status == ACTIVE and not self.is_deleted


ACTIVE = "ACTIVE"
DISABLED = "DISABLED"
ADMIN = "ADMIN"
ORDINARY_USER = "ORDINARY_USER"


@dataclass(frozen=True, slots=True)
class App:
    """One business app. `redirect_hosts`: hosts and `*.` patterns it registered besides its callback's.

    `signature_version`: the lowest that is taken from it. `allowed_networks`: in CIDR, where its calls may come from; none:
    from anywhere.
    """

    id: int
    app_id: str
    name: str
    callback_url: str
    redirect_hosts: tuple[str, ...]
    is_active: bool
    description: str
    protocol_type: str
    category_id: int | None
    category_name: str | None
    signature_version: int = 1
    allowed_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """An app's own account name for a person."""

    app_id: int
    app_user_id: str
    user_id: int
    email: str


@dataclass(frozen=True, slots=True)
class UserCaller:
    """A person with a valid token."""

    person: Person

    @property
    def key(self) -> str:
        """The caller's name among idempotency keys and limits."""
        return f"user:{self.person.id}"


@dataclass(frozen=True, slots=True)
class AppCaller:
    """An app with a valid signature."""

    app: App

    @property
    def key(self) -> str:
        """The caller's name among idempotency keys and limits."""
        return f"app:{self.app.id}"


Caller = UserCaller | AppCaller
