"""What is scheduled: sends and broadcasts that are accepted and not due yet. For operators.

Taking one back is a recall or a cancellation, as of anything that waits.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class ScheduledSend:
    """A send that waits for its time; `receiver_id` is None for a broadcast.

    `is_held`: its app is disabled or paused now, so that it would not go on when it is due. `sent_by_app_id` is None for a
    person's send, and then `title` is what one person writes to another.
    """

    id: int
    due_at: datetime
    type: str
    app_name: str | None
    sent_by_app_id: int | None
    sender_id: int | None
    receiver_id: int | None
    is_broadcast: bool
    title: str
    is_held: bool


# Along the primary key: the id of a scheduled send is made of the instant at which it is due, so those that are ahead
# have the highest ids of the table (docs/decisions/0004-ids-from-the-record.md).
_LIST = text("""
SELECT id, created_at AS due_at, type, app_name, sent_by_app_id, sender_id, receiver_id, is_broadcast, title,
       EXISTS (SELECT FROM held_apps h WHERE h.app_id = sent_by_app_id AND NOT h.is_releasing) AS is_held
  FROM accepted
 WHERE is_scheduled AND created_at > clock_timestamp()
   AND id > greatest(CAST(:after_id AS bigint),
                     (CAST(extract(epoch FROM now()) * 1000 - 1767225600000 AS bigint) << 12))
 ORDER BY id LIMIT :limit
""")


def list_scheduled(connection: Connection, *, limit: int, after_id: int = 0) -> list[ScheduledSend]:
    """Up to `limit` sends that are not due yet, the next one first; those after the send `after_id`."""
    rows = connection.execute(_LIST, {"limit": limit, "after_id": after_id})
    return [ScheduledSend(**row) for row in rows.mappings()]
