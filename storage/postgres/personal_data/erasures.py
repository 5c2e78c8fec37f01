"""Beginning the erasure of a person, and looking how far it is (docs/decisions/0035-erasure.md).

`carillon user erase` begins it: from that commit the person has no name, no account with any app and no way in. Upkeep does
the rest, slice by slice (`erasure_steps.py`).
"""

from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.caller import DISABLED, ORDINARY_USER
from storage.model.erasure import ERASED_NAME, Erasure
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.people.people_import import wait_for_turn

_FIND = text("SELECT * FROM erasures WHERE user_id = :id")
_OPEN = text("SELECT * FROM erasures WHERE finished_at IS NULL ORDER BY requested_at LIMIT :limit")
# The row stays without a name, so that its id can be looked up wherever it stands.
_EMPTY = text("""
UPDATE users SET mobile = '', name = :name, english_name = '', search_grams = '{}', status = :status,
       role = :role, is_deleted = true
 WHERE id = :id
""")
_UNMAP = text("DELETE FROM mappings WHERE user_id = :id")
# A broadcast whose audience is not planned yet is planned without them: they count as never having been active.
_FORGET_CHANGES = text("DELETE FROM activity_changes WHERE user_id = :id")
_BEGIN = text("""
INSERT INTO erasures (user_id, requested_by) VALUES (:id, :by) ON CONFLICT DO NOTHING
""")


def begin(connection: Connection, user_id: int, *, actor: Actor) -> Erasure:
    """Begin to erase a person, and return how far it is; one that was begun before goes on and is not begun again.

    After the commit the caller tells the gateways (`Bus.disable`). An import that runs is waited for: one that comes later
    leaves the person out. Raises NotFound if there is no such person.
    """
    wait_for_turn(connection)
    if (known := find(connection, user_id)) is not None:
        return known
    values = {"id": user_id, "name": ERASED_NAME, "status": DISABLED, "role": ORDINARY_USER}
    if not connection.execute(_EMPTY, values).rowcount:
        raise NotFound(f"There is no user {user_id}.", code=ErrorCode.UNKNOWN_PERSON)
    connection.execute(_UNMAP, {"id": user_id})
    connection.execute(_FORGET_CHANGES, {"id": user_id})
    connection.execute(_BEGIN, {"id": user_id, "by": actor.name})
    # Nothing of what was there: the audit is kept for years.
    audit.record(connection, actor, act="user.erase", target=f"user {user_id}")
    begun = find(connection, user_id)
    if begun is None:
        raise AssertionError("It was just written.")
    return begun


def find(connection: Connection, user_id: int) -> Erasure | None:
    """How far the erasure of this person is; None if it was never begun. Primary key."""
    row = connection.execute(_FIND, {"id": user_id}).first()
    return None if row is None else read_erasure(row)


def list_open(connection: Connection, *, limit: int) -> list[Erasure]:
    """Up to `limit` erasures that go on, the first begun first. Index erasures_open."""
    return [read_erasure(row) for row in connection.execute(_OPEN, {"limit": limit})]


def read_erasure(row: Row[Any]) -> Erasure:
    """The erasure in a row of its table."""
    return Erasure(
        user_id=row.user_id,
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        step=row.step,
        deliveries=row.deliveries,
        sends=row.sends,
        messages=row.messages,
        media=row.media,
        error=row.error,
        finished_at=row.finished_at,
    )
