"""Business apps, and the accounts that people have in them.

Used by ingest and the operator's commands. Hosts are only stored here: `storage/model/action_link.py` compares them.
The functions of `app_secrets.py` can be imported from here too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from storage.keys.vault import Vault, VaultSettings
from storage.model.caller import App, Mapping
from storage.model.error_codes import ErrorCode
from storage.model.errors import InConflict, PermanentError
from storage.postgres.held_apps import update_held_apps
from storage.postgres.people.app_secrets import find_secrets, find_secrets_of_many, rotate_secret
from storage.postgres.tables import app_categories, app_redirect_hosts, apps, mappings

__all__ = [
    "NewApp",
    "Vault",
    "VaultSettings",
    "add",
    "find",
    "find_by_id",
    "find_callers",
    "find_mapping",
    "find_or_add_category",
    "find_secrets",
    "list_all",
    "list_mapped",
    "list_with_accounts",
    "resolve",
    "resolve_many",
    "rotate_secret",
    "set_active",
]

# The column has 32 bits: PostgreSQL refuses to compare it with a larger number.
_MAX_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app that is to be added. Fields as in `App`; `category` is a category's name, which is made if it is new."""

    app_id: str
    name: str
    callback_url: str
    redirect_hosts: tuple[str, ...] = ()
    description: str = ""
    category: str | None = None
    protocol_type: str = "SIMPLE_API"


def find(conn: Connection, app_id: str) -> App | None:
    """The app with this string id, active or not. Index: apps_app_id_key."""
    return _find_one(conn, apps.c.app_id == app_id)


def find_callers(
    conn: Connection, app_ids: Iterable[str], *, vault: Vault
) -> dict[str, tuple[App, tuple[bytes, ...]] | PermanentError]:
    """The apps of these string ids, active or not, each with its valid secrets; an unknown id is left out.

    An app whose secrets the vault cannot open has the error instead, so that only its own calls fail. One query, and
    one more if any app is found. Indexes: apps_app_id_key, app_secrets_app_id.
    """
    wanted = literal(list(app_ids), ARRAY(Text))
    found = [
        _make_app(row) for row in conn.execute(_select_apps().where(apps.c.app_id == any_(wanted)))
    ]
    live = find_secrets_of_many(conn, (app.id for app in found), vault=vault) if found else {}
    return {app.app_id: _add_secrets(app, live.get(app.id, ())) for app in found}


def _add_secrets(
    app: App, live: tuple[bytes, ...] | PermanentError
) -> tuple[App, tuple[bytes, ...]] | PermanentError:
    return live if isinstance(live, PermanentError) else (app, live)


def find_by_id(conn: Connection, id: int) -> App | None:
    """The app with this integer id, active or not. Index: apps_pkey."""
    if not 0 < id <= _MAX_ID:
        return None
    return _find_one(conn, apps.c.id == id)


def list_all(conn: Connection) -> list[App]:
    """All apps, active or not, ordered by string id. Apps are few: the table is read in full."""
    return [_make_app(row) for row in conn.execute(_select_apps().order_by(apps.c.app_id))]


def add(conn: Connection, new: NewApp, *, vault: Vault) -> tuple[App, str]:
    """Add the app, and return it with its secret, which nobody can read again.

    Raises InConflict if the string id is taken. The caller has checked the URL and the hosts.
    """
    row = {
        "app_id": new.app_id,
        "name": new.name,
        "callback_url": new.callback_url,
        "description": new.description,
        "protocol_type": new.protocol_type,
        "category_id": None if new.category is None else find_or_add_category(conn, new.category),
    }
    made = insert(apps).values(row).on_conflict_do_nothing(index_elements=["app_id"])
    made_id = conn.execute(made.returning(apps.c.id)).scalar_one_or_none()
    if made_id is None:
        raise InConflict(f"There already is an app {new.app_id}.", code=ErrorCode.APP_EXISTS)
    hosts = [{"app_id": made_id, "host": host} for host in dict.fromkeys(new.redirect_hosts)]
    if hosts:
        conn.execute(insert(app_redirect_hosts), hosts)
    app = conn.execute(_select_apps().where(apps.c.id == made_id)).one()
    return _make_app(app), rotate_secret(conn, made_id, vault=vault)


def set_active(conn: Connection, id: int, *, is_active: bool) -> App | None:
    """Enable or disable the app with this integer id, and return it; None if there is none.

    What a disabled app has under way is held until it is enabled again. Others who change what is held wait for the commit.
    """
    conn.execute(update(apps).where(apps.c.id == id).values(is_active=is_active))
    update_held_apps(conn)
    return find_by_id(conn, id)


def resolve(conn: Connection, id: int, *, app_user_id: str) -> int | None:
    """The person whom the app calls `app_user_id`; None without a mapping. Index: mappings_pkey."""
    return resolve_many(conn, id, app_user_ids=[app_user_id]).get(app_user_id)


def resolve_many(conn: Connection, id: int, *, app_user_ids: Iterable[str]) -> dict[str, int]:
    """The people whom the app calls by these names; names without a mapping are left out.

    Index: mappings_pkey.
    """
    wanted = literal(list(app_user_ids), ARRAY(Text))
    query = select(mappings.c.app_user_id, mappings.c.user_id).where(
        mappings.c.app_id == id, mappings.c.app_user_id == any_(wanted)
    )
    return {row.app_user_id: row.user_id for row in conn.execute(query)}


def find_mapping(conn: Connection, id: int, *, user_id: int) -> Mapping | None:
    """The app's account for this person, the first by name if there are several; None if there is none.

    Index: mappings_user_id_app_id.
    """
    theirs = and_(mappings.c.user_id == user_id, mappings.c.app_id == id)
    query = select(mappings).where(theirs).order_by(mappings.c.app_user_id).limit(1)
    row = conn.execute(query).one_or_none()
    return None if row is None else Mapping(row.app_id, row.app_user_id, row.user_id, row.email)


def list_mapped(
    conn: Connection, user_id: int, *, search: str, skip: int, limit: int
) -> tuple[int, list[tuple[App, Mapping | None]]]:
    """The active apps that have an account for this person, with it: in all how many, and `limit` of them after `skip`.

    `search`, the order and the indexes are those of `list_with_accounts`.
    """
    return _list(conn, user_id, search=search, skip=skip, limit=limit, only_mapped=True)


def list_with_accounts(
    conn: Connection, user_id: int, *, search: str, skip: int, limit: int
) -> tuple[int, list[tuple[App, Mapping | None]]]:
    """How many active apps have `search` in their name or string id, and `limit` of them after the first `skip`.

    They are ordered by integer id, each with the person's account there (None: they have none). Letter case does not
    count. Apps are few, so the table is read in full. Index: mappings_user_id_app_id.
    """
    return _list(conn, user_id, search=search, skip=skip, limit=limit, only_mapped=False)


def find_or_add_category(conn: Connection, name: str) -> int:
    """The id of the category of this name, which is added if it is new.

    The update changes nothing; without it RETURNING would answer only for a new row.
    """
    made = insert(app_categories).values(name=name)
    made = made.on_conflict_do_update(index_elements=["name"], set_={"name": name})
    category: int = conn.execute(made.returning(app_categories.c.id)).scalar_one()
    return category


def _list(
    conn: Connection,
    user_id: int,
    *,
    search: str,
    skip: int,
    limit: int,
    only_mapped: bool,
) -> tuple[int, list[tuple[App, Mapping | None]]]:
    account = (
        select(mappings.c.app_user_id, mappings.c.email)
        .where(mappings.c.user_id == user_id, mappings.c.app_id == apps.c.id)
        .order_by(mappings.c.app_user_id)
        .limit(1)
        .lateral("account")
    )
    query = (
        _select_apps()
        .add_columns(account.c.app_user_id, account.c.email)
        .join(account, true(), isouter=not only_mapped)
        .where(apps.c.is_active, _is_named(search))
    )
    total = conn.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = conn.execute(query.order_by(apps.c.id).offset(skip).limit(limit)).all()
    return total, [(_make_app(row), _make_account(row, user_id)) for row in rows]


def _make_account(row: Row[Any], user_id: int) -> Mapping | None:
    if row.app_user_id is None:
        return None
    return Mapping(row.id, row.app_user_id, user_id, row.email)


def _is_named(text: str) -> ColumnElement[bool]:
    """The condition that the app's name or string id contains `text`. By strpos, so that % and _ mean themselves."""
    names = (apps.c.name, apps.c.app_id)
    return or_(*(func.strpos(func.lower(name), func.lower(text)) > 0 for name in names))


def _select_apps() -> Select[Any]:
    """The query of everything that an `App` is made of."""
    hosts = (
        select(func.array_agg(app_redirect_hosts.c.host).label("hosts"))
        .where(app_redirect_hosts.c.app_id == apps.c.id)
        .scalar_subquery()
    )
    category = app_categories.c.name.label("category_name")
    return select(apps, hosts.label("hosts"), category).select_from(
        apps.outerjoin(app_categories, app_categories.c.id == apps.c.category_id)
    )


def _find_one(conn: Connection, condition: ColumnElement[bool]) -> App | None:
    row = conn.execute(_select_apps().where(condition)).one_or_none()
    return None if row is None else _make_app(row)


def _make_app(row: Row[Any]) -> App:
    return App(
        id=row.id,
        app_id=row.app_id,
        name=row.name,
        callback_url=row.callback_url,
        redirect_hosts=tuple(sorted(row.hosts or ())),
        is_active=row.is_active,
        description=row.description,
        protocol_type=row.protocol_type,
        category_id=row.category_id,
        category_name=row.category_name,
        signature_version=row.signature_version,
        allowed_networks=tuple(row.allowed_networks),
    )
