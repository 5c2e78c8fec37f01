"""People: who they are, who is active, and the search in their names.

Used by ingest, workers and the operator's commands. Knows nothing of requests or tokens. `people_import.py` adds the
people of a whole organisation.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from storage.model.caller import ACTIVE, Person
from storage.model.error_codes import ErrorCode
from storage.model.errors import InConflict
from storage.postgres.people.name_grams import EVERYWHERE, fold, grams, is_one_gram, pairs, units
from storage.postgres.tables import erasures, mappings, users

__all__ = [
    "COUNTED_AT_MOST",
    "count_active",
    "find",
    "find_active",
    "find_any_active",
    "find_many",
    "grams",
    "list_after",
    "list_people",
    "search",
    "set_status",
]

# How many people, in id order, are compared before the index is used. Enough people with a common character are
# among these; a rare one has so few entries in the index that sorting them is cheap. Each of the two ways alone is slow
# where the other is fast (docs/decisions/0024-search-by-grams.md).
_WINDOW = 8_000
# Counting the people with a keyword is most of what a list costs, and nobody turns so many pages.
COUNTED_AT_MOST = 100_000
# More pairs of a long text would not help: what the index finds is compared in full anyway.
_PAIRS_ASKED = 12


def find(conn: Connection, user_id: int) -> Person | None:
    """The person with this id, whatever their state; None if there is none. Index: users_pkey."""
    row = conn.execute(_select_people(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else _make_person(row)


def find_many(conn: Connection, ids: Iterable[int]) -> dict[int, Person]:
    """Those of `ids` that exist, by id, whatever their state. Index: users_pkey."""
    wanted = literal(list(ids), ARRAY(BigInteger))
    rows = conn.execute(_select_people(users).where(users.c.id == any_(wanted)))
    return {row.id: _make_person(row) for row in rows}


def find_active(conn: Connection, ids: Iterable[int]) -> set[int]:
    """Those of `ids` who are active. Index: users_pkey."""
    wanted = literal(list(ids), ARRAY(BigInteger))
    return set(
        conn.scalars(select(users.c.id).where(users.c.id == any_(wanted), _is_active(users)))
    )


def find_any_active(conn: Connection, *, app_id: int) -> int | None:
    """The id of somebody active: the first of those with an account in the app, else the first of all; None if nobody is.

    Indexes: mappings_pkey, users_pkey.
    """
    of_app = (
        select(users.c.id)
        .join(mappings, mappings.c.user_id == users.c.id)
        .where(mappings.c.app_id == app_id, _is_active(users))
        .order_by(mappings.c.app_user_id)
    )
    of_all = select(users.c.id).where(_is_active(users)).order_by(users.c.id)
    found = (conn.execute(query.limit(1)).scalar() for query in (of_app, of_all))
    return next((id for id in found if id is not None), None)


def search(conn: Connection, q: str, *, limit: int) -> list[Person]:
    """The first `limit` active people, by id, whose mobile, name or English name contains `q`.

    Letter case does not count, every character means itself, and an empty `q` matches everyone (contract §6). Indexes: users_pkey for the window, then users_search_grams.
    """
    window = select(users).order_by(users.c.id).limit(_WINDOW).subquery()
    people = _fetch_page(
        conn,
        _select_people(window).where(_is_active(window), _contains_text(window, q)),
        limit=limit,
    )
    if len(people) == limit:
        return people
    # MATERIALIZED, or the planner may walk users_pkey to the end in search of the limit.
    found = select(users).where(_is_active(users), _contains_text(users, q)).cte("found")
    return _fetch_page(conn, _select_people(found.prefix_with("MATERIALIZED")), limit=limit)


def list_people(
    conn: Connection, keyword: str, *, skip: int, limit: int
) -> tuple[int, list[Person]]:
    """How many people have `keyword` in their mobile or a name, and `limit` of them, by id, after the first `skip`.

    People who are not active count too (contract §6). Letter case does not count, and every character means itself. With
    a keyword at most COUNTED_AT_MOST are counted. Index: users_search_grams; without a keyword users_pkey.
    """
    sought = _contains_text(users, keyword)
    counted = select(users.c.id).where(sought)
    if keyword:
        counted = counted.limit(COUNTED_AT_MOST)
    total = conn.execute(select(func.count()).select_from(counted.subquery())).scalar_one()
    if skip >= total:
        return total, []
    ids = select(users.c.id).where(sought).order_by(users.c.id).offset(skip).limit(limit)
    return total, _fetch_page(conn, _select_people(users).where(users.c.id.in_(ids)), limit=limit)


def list_after(
    conn: Connection,
    keyword: str,
    *,
    status: str | None = None,
    after_id: int = 0,
    limit: int,
) -> list[Person]:
    """The first `limit` people behind `after_id`, by id, who have `keyword` in their mobile or a name, and this status.

    Whatever their state, if `status` is None. Indexes: users_pkey, users_disabled; with a keyword users_search_grams.
    """
    wanted = [users.c.id > after_id]
    if status is not None:
        wanted.append(users.c.status == status)
    if not keyword:
        return _fetch_page(conn, _select_people(users).where(*wanted), limit=limit)
    # MATERIALIZED, or the planner may walk users_pkey to the end in search of the limit.
    found = select(users).where(_contains_text(users, keyword), *wanted).cte("found")
    return _fetch_page(conn, _select_people(found.prefix_with("MATERIALIZED")), limit=limit)


def count_active(conn: Connection) -> int:
    """How many people a broadcast to everyone would reach now. Reads the table in full."""
    query = select(func.count()).select_from(users).where(_is_active(users))
    return conn.execute(query).scalar_one()


def set_status(conn: Connection, user_id: int, *, status: str) -> Person | None:
    """Give the person this status, and return them; None if there is none.

    Gateways are not told: the caller does that after the commit (`Bus.disable`, `Bus.enable`). Raises InConflict for
    somebody who was erased.
    """
    if conn.execute(select(erasures.c.user_id).where(erasures.c.user_id == user_id)).first():
        raise InConflict(f"User {user_id} was erased, and stays so.", code=ErrorCode.PERSON_ERASED)
    change = update(users).where(users.c.id == user_id).values(status=status)
    row = conn.execute(change.returning(*_select_people(users).selected_columns)).one_or_none()
    return None if row is None else _make_person(row)


def _contains_text(people: FromClause, text: str) -> ColumnElement[bool]:
    """The condition that the mobile or a name contains `text`."""
    folded = fold(text)
    asked = pairs(folded)[:_PAIRS_ASKED] or list(units(folded))
    if not asked:
        return true()
    if EVERYWHERE.issuperset(asked):
        return _is_in_a_name(
            people, folded
        )  # nearly everyone has it: no index would help (EVERYWHERE)
    held: ColumnElement[bool] = people.c.search_grams.contains(asked)
    return held if is_one_gram(folded) else and_(held, _is_in_a_name(people, folded))


def _is_in_a_name(people: FromClause, folded: str) -> ColumnElement[bool]:
    """The comparison in full. By strpos and not LIKE, so that % and _ mean themselves."""
    names = (people.c.mobile, people.c.name, people.c.english_name)
    return or_(*(func.strpos(func.lower(name.collate("pg_c_utf8")), folded) > 0 for name in names))


def _is_active(people: FromClause) -> ColumnElement[bool]:
    """The condition that somebody is active; `Person.is_active` in SQL."""
    return and_(people.c.status == ACTIVE, ~people.c.is_deleted)


def _select_people(people: FromClause) -> Select[Any]:
    """The query of everything that a `Person` is made of."""
    row = people.c
    return select(
        row.id,
        row.mobile,
        row.name,
        row.english_name,
        row.status,
        row.role,
        row.is_deleted,
    )


def _fetch_page(conn: Connection, query: Select[Any], *, limit: int) -> list[Person]:
    """The first `limit` of a query's people, by id."""
    rows = conn.execute(query.order_by(query.selected_columns.id).limit(limit))
    return [_make_person(row) for row in rows]


def _make_person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        mobile=row.mobile,
        name=row.name,
        english_name=row.english_name,
        status=row.status,
        role=row.role,
        is_deleted=row.is_deleted,
    )


# The condition of the index users_disabled.
_DISABLED = "FROM users WHERE (status <> 'ACTIVE' OR is_deleted)"


def list_disabled(conn: Connection) -> list[int]:
    """The ids of everyone who may not sign in. Index: users_disabled."""
    return list(conn.execute(sql(f"SELECT id {_DISABLED}")).scalars())


def count_disabled(conn: Connection) -> int:
    """How many people may not sign in. Index: users_disabled."""
    return int(conn.execute(sql(f"SELECT count(*) {_DISABLED}")).scalar_one())


def find_disabled(conn: Connection, ids: Sequence[int]) -> list[int]:
    """Those of `ids` who may not sign in; an id of nobody is not among them. Index: users_pkey."""
    query = sql(f"SELECT id {_DISABLED} AND id = ANY(CAST(:ids AS bigint[]))")
    return list(conn.execute(query, {"ids": list(ids)}).scalars())
