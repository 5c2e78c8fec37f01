"""Trails: a message's whole way, for operators, from the request that it came with to its being read.

For the console and `carillon message`. What was written in it is left to the caller, who knows who may see that.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.message import MessageStatus
from storage.model.origin import Origin
from storage.postgres.message_rows import REQUEST_ID
from storage.postgres.messages.lookup import FoundMessage, find_message

# So many messages are looked through at once: some tenths of a second.
SLICE = 100_000
_LAST = 2**63 - 1


class Publication(StrEnum):
    """Whether a message's event is on the bus.

    NOT_YET: it is in no history. IN_HAND: the persist lane is at it. WAITING: the bus was away. SET_ASIDE: the event could
    not be made, and is tried again (docs/decisions/0022-publishing-sets-aside-alone.md).
    """

    NOT_YET = "not-yet"
    IN_HAND = "in-hand"
    WAITING = "waiting"
    SET_ASIDE = "set-aside"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a step of a message's way does not go on: how often it was tried, with which error, when again or last."""

    attempts: int
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """A message and what is recorded of its way.

    `request_id` is empty for messages of versions that did not keep it. `publication` is None for a broadcast, which is
    published chunk by chunk, and for what was recalled. `due_at`: a waiting send is not touched before. `trouble` is of
    the step that it is at: persisting, publishing, or the last attempt of a failed one.
    """

    found: FoundMessage
    request_id: str
    publication: Publication | None
    due_at: datetime | None = None
    trouble: Trouble | None = None
    recalled_at: datetime | None = None


# All by primary keys; `persist_claims` has one row.
_WAY = text("""
SELECT (SELECT origin FROM accepted WHERE id = :id) AS waiting_origin,
       (SELECT payload ->> 'origin' FROM held_sends WHERE id = :id) AS held_origin,
       (SELECT payload ->> 'origin' FROM failed_sends WHERE id = :id) AS failed_origin,
       m.request_id, b.origin AS broadcast_origin, m.recalled_at, a.ring_at,
       coalesce(f.error, u.error, a.error) AS error,
       coalesce(f.attempts, u.attempts, a.attempts) AS attempts,
       coalesce(f.failed_at, u.try_at, a.ring_at) AS tried_at,
       u.message_id IS NOT NULL AS is_unpublished, u.error IS NOT NULL AS is_set_aside,
       EXISTS (SELECT FROM persist_claims WHERE :id = ANY (ids)) AS is_claimed
  FROM (SELECT CAST(:id AS bigint) AS id) asked
  LEFT JOIN messages m ON m.id = asked.id
  LEFT JOIN broadcasts b ON b.id = asked.id
  LEFT JOIN accepted a ON a.id = asked.id
  LEFT JOIN failed_sends f ON f.id = asked.id
  LEFT JOIN unpublished u ON u.message_id = asked.id
""")


def find_trail(connection: Connection, message_id: int) -> Trail | None:
    """The way of the message with this id so far; None if there is none."""
    found = find_message(connection, message_id)
    if found is None:
        return None
    row = connection.execute(_WAY, {"id": message_id}).one()
    origin = row.waiting_origin or row.held_origin or row.failed_origin or row.broadcast_origin
    return Trail(
        found,
        request_id=row.request_id or Origin.parse(origin).request_id,
        publication=_judge_publication(row, found),
        due_at=row.ring_at,
        trouble=Trouble(row.attempts, row.error, row.tried_at) if row.error is not None else None,
        recalled_at=row.recalled_at,
    )


def _judge_publication(row: Row[Any], found: FoundMessage) -> Publication | None:
    if found.message.is_broadcast or found.status is MessageStatus.RECALLED:
        return None
    if found.status is not MessageStatus.DELIVERED:
        return Publication.NOT_YET
    if row.is_unpublished:
        return Publication.SET_ASIDE if row.is_set_aside else Publication.WAITING
    return Publication.IN_HAND if row.is_claimed else Publication.DONE


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that a request sent; `receiver_id` is None for a broadcast."""

    id: int
    receiver_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RequestPage:
    """What a request sent, of those looked through, newest first.

    The next page goes on before `next_before_id`, a message of `searched_to`; both are None when nothing older is left.
    """

    messages: tuple[SentMessage, ...]
    next_before_id: int | None
    searched_to: datetime | None


# Not in `messages` yet, or never. All that waits is read: there is little of it, except behind a long outage.
_NOT_DELIVERED = text(f"""
WITH waiting AS (
  SELECT id, receiver_id, created_at, origin FROM accepted
   UNION ALL
  SELECT r.id, r.receiver_id, r.created_at, r.origin
    FROM (SELECT payload FROM held_sends UNION ALL SELECT payload FROM failed_sends) put_aside
   CROSS JOIN LATERAL jsonb_populate_record(NULL::accepted, payload) AS r
)
SELECT id, receiver_id, created_at FROM waiting WHERE {REQUEST_ID} = :request_id ORDER BY id DESC
""")  # noqa: S608 (an expression of `message_rows`)
# A slice along the primary key, newest first.
_DELIVERED = text("""
WITH slice AS MATERIALIZED (
  SELECT id, request_id FROM messages WHERE id < :before_id ORDER BY id DESC LIMIT :slice
), bounds AS (
  SELECT min(id) AS low, count(*) AS size FROM slice
)
SELECT m.id, m.receiver_id, m.created_at, bounds.low, bounds.size,
       (SELECT created_at FROM messages WHERE id = bounds.low) AS searched_to
  FROM bounds LEFT JOIN slice ON slice.request_id = :request_id LEFT JOIN messages m ON m.id = slice.id
 ORDER BY m.id DESC
""")


def find_by_request_id(
    connection: Connection, request_id: str, *, before_id: int | None = None, slice: int = SLICE
) -> RequestPage:
    """What the request with this id sent: what is not delivered yet, and what is among the newest `slice` messages.

    `before_id`: only delivered ones, among the newest `slice` before this id. A repeated id finds all its requests.
    """
    asked = {"request_id": request_id}
    waiting = [] if before_id is not None else list(connection.execute(_NOT_DELIVERED, asked))
    window = {"before_id": _LAST if before_id is None else before_id, "slice": slice}
    rows = connection.execute(_DELIVERED, asked | window).all()
    bounds = rows[0]
    is_end = bounds.size < slice
    return RequestPage(
        tuple(
            SentMessage(row.id, row.receiver_id, row.created_at)
            for row in (*waiting, *rows)
            if row.id is not None
        ),
        next_before_id=None if is_end else bounds.low,
        searched_to=None if is_end else bounds.searched_to,
    )
