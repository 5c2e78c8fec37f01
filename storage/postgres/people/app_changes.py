"""Changing an app that is there: its name, where single sign-on and buttons lead, its description and category.

Called through `acts/apps.py`. Ingest knows the change within CARILLON_LOOKUP_LIFETIME_SECONDS.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.model.caller import App
from storage.postgres.people.apps import find_by_id, find_or_add_category
from storage.postgres.tables import app_redirect_hosts, apps

# Fields that are columns of the same name.
_COLUMNS = ("name", "callback_url", "description", "signature_version", "allowed_networks")


@dataclass(frozen=True, slots=True)
class AppChanges:
    """What is to change of an app; None: it stays. `category` is a name, made if it is new; "" is none.

    `hosts` replaces the hosts; `added_hosts` and `removed_hosts` change those that are there. `allowed_networks` replaces
    the networks that calls may come from, as `parse_network` gives them; none: from anywhere.
    """

    name: str | None = None
    callback_url: str | None = None
    description: str | None = None
    category: str | None = None
    hosts: tuple[str, ...] | None = None
    added_hosts: tuple[str, ...] = ()
    removed_hosts: tuple[str, ...] = ()
    signature_version: int | None = None
    allowed_networks: tuple[str, ...] | None = None


def change(conn: Connection, id: int, *, changes: AppChanges) -> tuple[App, App] | None:
    """Change the app with this integer id; the app before and after, or None if there is none.

    The caller has checked URL and hosts. Two changes at once follow one another.
    """
    conn.execute(select(apps.c.id).where(apps.c.id == id).with_for_update())
    before = find_by_id(conn, id)
    if before is None:
        return None
    values: dict[str, object] = {
        name: value for name in _COLUMNS if (value := getattr(changes, name)) is not None
    }
    if changes.category is not None:
        values["category_id"] = (
            find_or_add_category(conn, changes.category) if changes.category else None
        )
    if values:
        conn.execute(update(apps).where(apps.c.id == id).values(values))
    _change_hosts(conn, before, changes)
    after = find_by_id(conn, id)
    return None if after is None else (before, after)


def _change_hosts(conn: Connection, app: App, changes: AppChanges) -> None:
    start = app.redirect_hosts if changes.hosts is None else changes.hosts
    wanted = {*start, *changes.added_hosts} - set(changes.removed_hosts)
    gone = set(app.redirect_hosts) - wanted
    if gone:
        of_app = app_redirect_hosts.c.app_id == app.id
        conn.execute(delete(app_redirect_hosts).where(of_app, app_redirect_hosts.c.host.in_(gone)))
    new = [{"app_id": app.id, "host": host} for host in sorted(wanted - set(app.redirect_hosts))]
    if new:
        conn.execute(insert(app_redirect_hosts).on_conflict_do_nothing(), new)
