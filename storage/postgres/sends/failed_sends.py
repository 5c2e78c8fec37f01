"""Dead letters: sends that could not be persisted, kept whole until a person decides about them.

The persist lane puts them here (`move_to_failed`); `carillon failed` and the console list, show, replay and drop them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.app_event import AppEventType
from storage.postgres.app_events.writing import insert_event


@dataclass(frozen=True, slots=True)
class FailedSend:
    """A dead letter: why it failed, after how many attempts; `payload` is its row of `accepted`, by column name."""

    id: int
    error: str
    attempts: int
    failed_at: datetime
    payload: dict[str, Any]


_TELL_APP = insert_event(
    source="dead",
    app_id="dead.sent_by_app_id",
    type=f"CASE WHEN dead.is_broadcast THEN '{AppEventType.BROADCAST_FAILED}' ELSE '{AppEventType.MESSAGE_FAILED}' END",
    data="""CASE WHEN dead.is_broadcast THEN jsonb_build_object('broadcast_id', dead.id)
       ELSE jsonb_build_object('message_id', dead.id, 'client_ref', dead.client_ref) END""",
)
_MOVE_TO_FAILED = text(f"""
WITH dead AS (DELETE FROM accepted WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING *), told AS ({_TELL_APP})
INSERT INTO failed_sends (id, payload, error, attempts)
SELECT id, to_jsonb(dead), coalesce(error, ''), attempts FROM dead
""")  # noqa: S608 (as above)


def move_to_failed(connection: Connection, ids: Collection[int]) -> None:
    """Move these sends from `accepted` to `failed_sends`, whole; ids that are not in `accepted` are passed over.

    The app that sent one is told, if it asked for that (contract §9).
    """
    if ids:
        connection.execute(_MOVE_TO_FAILED, {"ids": list(ids)})


_LISTING = text("""
SELECT * FROM failed_sends WHERE id < :before_id ORDER BY id DESC LIMIT :limit
""")
_FIND = text("SELECT * FROM failed_sends WHERE id = :id")
_LAST = 2**63 - 1


def list_failed(
    connection: Connection, *, limit: int, before_id: int | None = None
) -> list[FailedSend]:
    """Up to `limit` dead letters, newest first; those before `before_id` (None: from the newest)."""
    rows = connection.execute(_LISTING, {"limit": limit, "before_id": before_id or _LAST})
    return [_read_row(row) for row in rows]


def find_failed(connection: Connection, id: int) -> FailedSend | None:
    """The dead letter with this id; None if there is none."""
    row = connection.execute(_FIND, {"id": id}).first()
    return _read_row(row) if row else None


def _read_row(row: Row[Any]) -> FailedSend:
    return FailedSend(row.id, row.error, row.attempts, row.failed_at, row.payload)


# As if it had just been accepted: no attempts, due now. Its id and instant stay, unless retention has dropped their
# month: then it is sent now.
_REPLAY = text("""
WITH replayed AS (
  DELETE FROM failed_sends WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING id, payload
), placed AS MATERIALIZED (
  SELECT id AS old_id, payload,
         CASE WHEN has_message_month(id) THEN id ELSE next_message_id() END AS id FROM replayed
), sent AS (
  INSERT INTO accepted
  SELECT r.* FROM placed p CROSS JOIN LATERAL jsonb_populate_record(
      NULL::accepted,
      p.payload || jsonb_build_object('id', p.id, 'attempts', 0, 'deaths', 0, 'died_at_claim', NULL,
                                      'error', NULL, 'is_scheduled', false,
                                      'ring_at', clock_timestamp())
        || CASE WHEN p.id = p.old_id THEN '{}'
                ELSE jsonb_build_object('created_at', clock_timestamp()) END) AS r
)
SELECT old_id, id FROM placed ORDER BY old_id
""")


def replay(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Put dead letters back into `accepted`; returns old id → new id, of those that were there.

    The two are the same unless retention has dropped the month of the old one.
    """
    rows = connection.execute(_REPLAY, {"ids": list(ids)})
    return {row.old_id: row.id for row in rows}


_DROP = text("DELETE FROM failed_sends WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING id")


def drop(connection: Connection, ids: Collection[int]) -> list[int]:
    """Delete dead letters for good; returns the ids of those that were there, ascending."""
    return sorted(connection.execute(_DROP, {"ids": list(ids)}).scalars())
