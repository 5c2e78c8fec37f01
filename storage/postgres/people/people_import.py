"""The people of a whole organisation, in one transaction: COPY into a temporary table, then one upsert.

Called by `carillon user import`, which has checked every row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage.model.caller import ACTIVE, ORDINARY_USER
from storage.postgres.bulk_copy import copy_in
from storage.postgres.people.name_grams import GramTexts

_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    id bigint, mobile text, name text, english_name text, status text, role text, grams integer[]
) ON COMMIT DROP
"""
# The upsert finds a row's own status and role by this key.
_KEYED = "ALTER TABLE incoming ADD PRIMARY KEY (id)"
_COPY = "COPY incoming (id, mobile, name, english_name, status, role, grams) FROM STDIN"
# By id, the order in which everyone locks people. A row without a change is not written, so importing the same file
# again makes no dead rows. An empty status or role keeps what the row has when it is locked, so that somebody who is
# disabled meanwhile stays disabled. Indexes: users_pkey, incoming_pkey.
_UPSERT = """
WITH written AS (
    INSERT INTO users (id, mobile, name, english_name, status, role, search_grams)
    SELECT id, mobile, name, english_name, coalesce(nullif(status, ''), :active),
           coalesce(nullif(role, ''), :ordinary), grams
      FROM incoming ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        mobile = excluded.mobile, name = excluded.name, english_name = excluded.english_name,
        search_grams = excluded.search_grams,
        (status, role) = (
            SELECT coalesce(nullif(i.status, ''), users.status), coalesce(nullif(i.role, ''), users.role)
              FROM incoming i WHERE i.id = excluded.id)
    WHERE (users.mobile, users.name, users.english_name)
        IS DISTINCT FROM (excluded.mobile, excluded.name, excluded.english_name)
       OR EXISTS (SELECT FROM incoming i WHERE i.id = excluded.id
                     AND (i.status NOT IN ('', users.status) OR i.role NOT IN ('', users.role)))
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed
FROM written
"""
# Nobody who was erased comes back with a file. Primary key of `erasures`.
_LEAVE_OUT = "DELETE FROM incoming USING erasures WHERE erasures.user_id = incoming.id"
# Somebody who is not in the table yet counts as active before: they may have a token already. Index: users_pkey.
_SHUT_OUT = """
SELECT incoming.id FROM incoming LEFT JOIN users USING (id)
WHERE incoming.status NOT IN (:active, '') AND coalesce(users.status, :active) = :active ORDER BY incoming.id
"""
_LET_IN = """
SELECT incoming.id FROM incoming JOIN users USING (id)
WHERE incoming.status = :active AND users.status <> :active ORDER BY incoming.id
"""
# Counts what is about to change; both tables are read once. Index: users_pkey.
_CHANGES = """
SELECT count(*) FILTER (WHERE i.status NOT IN (:active, '') AND u.status = :active) AS shut_out,
       count(*) FILTER (WHERE i.status = :active AND u.status <> :active) AS let_in,
       count(*) FILTER (WHERE i.role NOT IN ('', u.role)) AS roles,
       count(*) FILTER (WHERE (i.name, i.english_name) <> (u.name, u.english_name)) AS names,
       count(*) FILTER (WHERE i.mobile <> u.mobile) AS mobiles
  FROM incoming i JOIN users u USING (id)
"""
# Whether this is an organisation's first import: hardly anybody is in the table, and many come. Then the index is built
# afterwards, which is faster than row by row, although nobody can be looked up meanwhile. Only the owner of the table
# may do so; for others the import takes longer.
_IS_FIRST = """
SELECT (SELECT count(*) FROM (SELECT FROM users LIMIT :few) AS here) < :few
    AND (SELECT count(*) FROM incoming) > 10 * :few
    AND pg_has_role(relowner, 'USAGE')
FROM pg_class WHERE oid = 'users_search_grams'::regclass
"""
_BY_DEFAULT = {"active": ACTIVE, "ordinary": ORDINARY_USER}
_FEW = 1_000
_BATCH = 500
_TAB = "\t"


class NewPerson(NamedTuple):
    """One person to import, without control characters. A tuple: a million of them are made.

    An empty `status` or `role` stays what it is; of someone new it is ACTIVE, ORDINARY_USER.
    """

    id: int
    mobile: str
    name: str
    english_name: str
    status: str
    role: str


@dataclass(frozen=True, slots=True)
class Changes:
    """How many people who were in the table before are changed in what; one person may count in several."""

    shut_out: int
    let_in: int
    roles: int
    names: int
    mobiles: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    `shut_out`: the ids of people who are not active now, and were active or unknown before. `let_in`: the ids of people
    who are active now, and were not. `erased`: how many were left out, because they were erased. Gateways are not told: the caller does that after the commit.
    """

    added: int
    changed: int
    changes: Changes
    shut_out: tuple[int, ...]
    let_in: tuple[int, ...]
    erased: int = 0


def import_people(conn: Connection, people: Iterable[NewPerson]) -> Imported:
    """Add these people, or bring them up to date; `is_deleted` stays as it is.

    Inside the caller's transaction: all or nothing, also when `people` raises half-way. No id may repeat. Safe to
    repeat.
    """
    conn.execute(text(_INCOMING))
    copy_in(conn, _COPY, _lines(people))
    conn.execute(text(_KEYED))
    conn.execute(text("ANALYZE incoming"))
    wait_for_turn(conn)
    erased = conn.execute(text(_LEAVE_OUT)).rowcount
    changes = Changes(*conn.execute(text(_CHANGES), {"active": ACTIVE}).one())
    shut_out = _ids(conn, _SHUT_OUT)
    let_in = _ids(conn, _LET_IN)
    if conn.execute(text(_IS_FIRST), {"few": _FEW}).scalar_one():
        conn.execute(text("DROP INDEX users_search_grams"))
        added, changed = conn.execute(text(_UPSERT), _BY_DEFAULT).one()
        conn.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        conn.execute(text("CREATE INDEX users_search_grams ON users USING gin (search_grams)"))
    else:
        added, changed = conn.execute(text(_UPSERT), _BY_DEFAULT).one()
    return Imported(added, changed, changes, shut_out=shut_out, let_in=let_in, erased=erased)


def wait_for_turn(conn: Connection) -> None:
    """Let one import, or the beginning of an erasure, run at a time, from here to the end of its transaction, however long others have to wait.

    An import reads `users`, and an organisation's first one locks the whole table to drop the index: two of them
    would wait for one another.
    """
    conn.execute(text("SET LOCAL lock_timeout = 0"))
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('carillon user import'))"))
    conn.execute(text("SET LOCAL lock_timeout TO DEFAULT"))


def _lines(people: Iterable[NewPerson]) -> Iterator[str]:
    """The lines of COPY, many in one string, because a call for every row is slow."""
    texts = GramTexts()
    rest = iter(people)
    while batch := list(islice(rest, _BATCH)):
        held = texts.compute(one[1:4] for one in batch)
        rows = zip(batch, held, strict=True)
        yield "".join([f"{_TAB.join(map(str, one))}\t{{{grams}}}\n" for one, grams in rows])


def _ids(conn: Connection, query: str) -> tuple[int, ...]:
    return tuple(conn.execute(text(query), {"active": ACTIVE}).scalars())
