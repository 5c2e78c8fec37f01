"""Acts upon business apps: add, change, enable, disable, another secret."""

from datetime import datetime

from sqlalchemy import Connection

from storage.keys.vault import Vault
from storage.model.caller import App
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.people import app_changes, apps
from storage.postgres.people.app_changes import AppChanges
from storage.postgres.people.apps import NewApp


def add(connection: Connection, actor: Actor, *, new: NewApp, vault: Vault) -> tuple[App, str]:
    """Add an app, and return it with its secret, as `apps.add` does. Raises InConflict."""
    made, secret = apps.add(connection, new, vault=vault)
    audit.record(connection, actor, act="app.add", target=_name(made), after=_describe(made))
    return made, secret


def set_active(connection: Connection, actor: Actor, *, id: int, is_active: bool) -> App:
    """Enable or disable the app with this integer id. Safe to repeat. Raises NotFound."""
    before = find(connection, id)
    apps.set_active(connection, id, is_active=is_active)
    audit.record(
        connection,
        actor,
        act="app.enable" if is_active else "app.disable",
        target=_name(before),
        before={"is_active": before.is_active},
        after={"is_active": is_active},
    )
    return find(connection, id)


def rotate_secret(
    connection: Connection,
    actor: Actor,
    *,
    id: int,
    vault: Vault,
    old_ends_at: datetime | None = None,
    is_only: bool = False,
) -> tuple[App, str]:
    """Give the app with this integer id a new secret, as `apps.rotate_secret` does, and return both. Raises NotFound."""
    found = find(connection, id)
    secret = apps.rotate_secret(
        connection, id, vault=vault, old_ends_at=old_ends_at, is_only=is_only
    )
    ends = "now" if is_only else "at the next rotation"
    audit.record(
        connection,
        actor,
        act="app.rotate-secret",
        target=_name(found),
        after={"old_ends": ends if old_ends_at is None else old_ends_at.isoformat()},
    )
    return found, secret


def change(connection: Connection, actor: Actor, *, id: int, changes: AppChanges) -> App:
    """Change an app, as `app_changes.change` says; the row has what is different. Raises NotFound."""
    found = app_changes.change(connection, id, changes=changes)
    if found is None:
        raise NotFound("There is no such app.", code=ErrorCode.UNKNOWN_APP)
    before, after = (_describe(one) for one in found)
    different = [name for name in before if before[name] != after[name]]
    audit.record(
        connection,
        actor,
        act="app.update",
        target=_name(found[1]),
        before={name: before[name] for name in different},
        after={name: after[name] for name in different},
    )
    return found[1]


def find(connection: Connection, id: int) -> App:
    """The app with this integer id; raises NotFound."""
    found = apps.find_by_id(connection, id)
    if found is None:
        raise NotFound("There is no such app.", code=ErrorCode.UNKNOWN_APP)
    return found


def _name(app: App) -> str:
    return f"app {app.app_id}"


def _describe(app: App) -> dict[str, object]:
    return {
        "signature_version": app.signature_version,
        "allowed_networks": list(app.allowed_networks),
        "name": app.name,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
        "description": app.description,
        "category": app.category_name,
        "protocol_type": app.protocol_type,
    }
