"""An app's accounts of very many people, in one transaction: COPY, a check, one upsert.

Called by `carillon mapping import`, which has checked every row, except whether its user exists.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from storage.model.errors import CallerError
from storage.postgres.bulk_copy import copy_in

_INCOMING = """
CREATE TEMPORARY TABLE incoming (number bigint, app_user_id text, user_id bigint, email text)
ON COMMIT DROP
"""
_COPY = "COPY incoming (number, app_user_id, user_id, email) FROM STDIN"
# Index: users_pkey.
_UNKNOWN = """
SELECT number, user_id FROM incoming
WHERE NOT EXISTS (SELECT FROM users WHERE users.id = incoming.user_id)
   OR EXISTS (SELECT FROM erasures WHERE erasures.user_id = incoming.user_id)
ORDER BY number LIMIT 1
"""
# A row without a change is not written. Index: mappings_pkey.
_UPSERT = """
WITH written AS (
    INSERT INTO mappings (app_id, app_user_id, user_id, email)
    SELECT :app_id, app_user_id, user_id, email FROM incoming ORDER BY app_user_id
    ON CONFLICT (app_id, app_user_id) DO UPDATE SET
        user_id = excluded.user_id, email = excluded.email
    WHERE (mappings.user_id, mappings.email) IS DISTINCT FROM (excluded.user_id, excluded.email)
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed
FROM written
"""


class NewMapping(NamedTuple):
    """One account to import, without control characters; `number` is its row, for complaints."""

    number: int
    app_user_id: str
    user_id: int
    email: str


class UnknownUser(CallerError):
    """Row `number` of the import names a user who does not exist."""

    def __init__(self, number: int, user_id: int) -> None:
        super().__init__(f"There is no user {user_id}.")
        self.number = number


@dataclass(frozen=True, slots=True)
class ImportedMappings:
    """How many accounts an import added and changed."""

    added: int
    changed: int


def import_mappings(
    conn: Connection, app_id: int, *, mappings: Iterable[NewMapping]
) -> ImportedMappings:
    """Add these accounts of the app with this integer id, or bring them up to date.

    Inside the caller's transaction: all or nothing, also when `mappings` raises half-way. No account name may repeat.
    Raises UnknownUser for the first row whose user does not exist or was erased. Safe to repeat.
    """
    conn.execute(text(_INCOMING))
    copy_in(conn, _COPY, (_line(one) for one in mappings))
    conn.execute(text("ANALYZE incoming"))
    unknown = conn.execute(text(_UNKNOWN)).one_or_none()
    if unknown is not None:
        raise UnknownUser(unknown.number, unknown.user_id)
    added, changed = conn.execute(text(_UPSERT), {"app_id": app_id}).one()
    return ImportedMappings(added, changed)


def _line(one: NewMapping) -> str:
    return f"{one.number}\t{one.app_user_id}\t{one.user_id}\t{one.email}\n"
