"""Numbered events, as they are pushed and pulled."""

from sqlalchemy import Connection, text

from storage.model.app_event import AppEvent

# Of one page: an event of reads has up to 500 of them.
EVENTS_OF_A_PAGE = 100

# Index app_events_seq.
_PAGE = text("""
SELECT seq, type, data, created_at, 'evt_' || replace(CAST(webhook_id AS text), '-', '') AS webhook_id FROM app_events
 WHERE app_id = :app_id AND seq > :after ORDER BY seq LIMIT :limit
""")


def list_events(
    connection: Connection, app_id: int, *, after: int, limit: int = EVENTS_OF_A_PAGE
) -> list[AppEvent]:
    """Up to `limit` of the app's numbered events after the number `after`, in order.

    Who goes on after the last of them misses none: what is committed later gets a higher number (`numbering.py`).
    """
    asked = {"app_id": app_id, "after": after, "limit": limit}
    return [AppEvent(**row) for row in connection.execute(_PAGE, asked).mappings()]
