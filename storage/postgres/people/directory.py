"""Questions about people: who they are, and who has these characters in a name.

Asked by every door. Knows nothing of requests or tokens; the rows of a whole organisation come in
through `storage/postgres/people/people_import.py`.
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
from storage.postgres.people.name_grams import EVERYWHERE, fold, grams, is_one_gram, pairs, units
from storage.postgres.tables import users

__all__ = [
    "COUNTED_AT_MOST",
    "count_active",
    "find",
    "find_active",
    "find_many",
    "grams",
    "list_people",
    "search",
    "set_status",
]

# How many people, in id order, are looked at before the index is asked. Whoever has a common
# character is among them; of a rare one the index has so few that sorting them is cheap. Either way
# alone is slow at the other's end.
_WINDOW = 8_000
# Of the people with a keyword: counting is the most of what a list costs, and nobody turns so many pages.
COUNTED_AT_MOST = 100_000
# A long text gains nothing from all of its pairs: candidates are compared in full anyway.
_PAIRS_ASKED = 12


def find(conn: Connection, user_id: int) -> Person | None:
    """The person with this id, whatever their state; None if there is none. Index: users_pkey."""
    row = conn.execute(_shown(users).where(users.c.id == user_id)).one_or_none()
    return None if row is None else _person(row)


def find_many(conn: Connection, ids: Iterable[int]) -> dict[int, Person]:
    """Those of `ids` that exist, by id, whatever their state. Index: users_pkey."""
    wanted = literal(list(ids), ARRAY(BigInteger))
    rows = conn.execute(_shown(users).where(users.c.id == any_(wanted)))
    return {row.id: _person(row) for row in rows}


def find_active(conn: Connection, ids: Iterable[int]) -> set[int]:
    """Those of `ids` who are active. Index: users_pkey."""
    wanted = literal(list(ids), ARRAY(BigInteger))
    return set(
        conn.scalars(select(users.c.id).where(users.c.id == any_(wanted), _is_active(users)))
    )


def search(conn: Connection, q: str, *, limit: int) -> list[Person]:
    """The first `limit` active people, by id, whose mobile, name or English name contains `q`.

    Letter case does not count, every character stands for itself, and an empty `q` matches everyone
    (contract §6). Indexes: users_pkey for the window, then users_search_grams.
    """
    window = select(users).order_by(users.c.id).limit(_WINDOW).subquery()
    people = _page(
        conn,
        _shown(window).where(_is_active(window), _contains(window, q)),
        limit=limit,
    )
    if len(people) == limit:
        return people
    # MATERIALIZED, or the planner may walk users_pkey to the end in search of the limit.
    found = select(users).where(_is_active(users), _contains(users, q)).cte("found")
    return _page(conn, _shown(found.prefix_with("MATERIALIZED")), limit=limit)


def list_people(
    conn: Connection, keyword: str, *, skip: int, limit: int
) -> tuple[int, list[Person]]:
    """How many people have `keyword` in a name, and `limit` of them by id after the first `skip`.

    Everyone, active or not (contract §6); otherwise as `search`. With a keyword at most COUNTED_AT_MOST are counted.
    Index: users_search_grams; everyone is counted and skipped along users_pkey alone.
    """
    sought = _contains(users, keyword)
    counted = select(users.c.id).where(sought)
    if keyword:
        counted = counted.limit(COUNTED_AT_MOST)
    total = conn.execute(select(func.count()).select_from(counted.subquery())).scalar_one()
    if skip >= total:
        return total, []
    ids = select(users.c.id).where(sought).order_by(users.c.id).offset(skip).limit(limit)
    return total, _page(conn, _shown(users).where(users.c.id.in_(ids)), limit=limit)


def count_active(conn: Connection) -> int:
    """How many people a broadcast to everyone would reach now. Reads the table in full."""
    query = select(func.count()).select_from(users).where(_is_active(users))
    return conn.execute(query).scalar_one()


def set_status(conn: Connection, user_id: int, *, status: str) -> Person | None:
    """Give the person this status; None if there is none. Closing their sockets is the caller's."""
    change = update(users).where(users.c.id == user_id).values(status=status)
    row = conn.execute(change.returning(*_shown(users).selected_columns)).one_or_none()
    return None if row is None else _person(row)


def _contains(people: FromClause, text: str) -> ColumnElement[bool]:
    """Whether one of the names contains `text`."""
    folded = fold(text)
    asked = pairs(folded)[:_PAIRS_ASKED] or list(units(folded))
    if not asked:
        return true()
    if EVERYWHERE.issuperset(asked):
        return _is_in_a_name(people, folded)  # no index, and no need of one: see EVERYWHERE
    held: ColumnElement[bool] = people.c.search_grams.contains(asked)
    return held if is_one_gram(folded) else and_(held, _is_in_a_name(people, folded))


def _is_in_a_name(people: FromClause, folded: str) -> ColumnElement[bool]:
    """The comparison in full; by strpos and not LIKE, so that % and _ stand for themselves."""
    names = (people.c.mobile, people.c.name, people.c.english_name)
    return or_(*(func.strpos(func.lower(name.collate("pg_c_utf8")), folded) > 0 for name in names))


def _is_active(people: FromClause) -> ColumnElement[bool]:
    """`Person.is_active`, in SQL."""
    return and_(people.c.status == ACTIVE, ~people.c.is_deleted)


def _shown(people: FromClause) -> Select[Any]:
    """What a Person is made of."""
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


def _page(conn: Connection, query: Select[Any], *, limit: int) -> list[Person]:
    """The first `limit` of a query's people, by id."""
    rows = conn.execute(query.order_by(query.selected_columns.id).limit(limit))
    return [_person(row) for row in rows]


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        mobile=row.mobile,
        name=row.name,
        english_name=row.english_name,
        status=row.status,
        role=row.role,
        is_deleted=row.is_deleted,
    )


# By the index users_disabled, whose condition this is.
_DISABLED = "FROM users WHERE (status <> 'ACTIVE' OR is_deleted)"


def list_disabled(conn: Connection) -> list[int]:
    """Everyone who may not sign in."""
    return list(conn.execute(sql(f"SELECT id {_DISABLED}")).scalars())


def count_disabled(conn: Connection) -> int:
    """How many may not sign in."""
    return int(conn.execute(sql(f"SELECT count(*) {_DISABLED}")).scalar_one())


def find_disabled(conn: Connection, ids: Sequence[int]) -> list[int]:
    """Those of `ids` who may not sign in; who is not in the record may."""
    query = sql(f"SELECT id {_DISABLED} AND id = ANY(CAST(:ids AS bigint[]))")
    return list(conn.execute(query, {"ids": list(ids)}).scalars())
