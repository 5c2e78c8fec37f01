"""What of an app waits while it is disabled: operators are told of it when they disable one."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many sends of an app are scheduled or put aside, and how many of its broadcasts are not finished."""

    sends: int
    broadcasts: int


# Indexes accepted_scheduled, accepted_broadcasts, held_sends_app_id_id, broadcasts_app_id_accepted_at.
_COUNT = text("""
SELECT (SELECT count(*) FROM accepted
         WHERE is_scheduled AND sent_by_app_id = :app_id AND NOT is_broadcast)
     + (SELECT count(*) FROM held_sends WHERE app_id = :app_id AND NOT is_broadcast) AS sends,
       (SELECT count(*) FROM accepted WHERE is_broadcast AND sent_by_app_id = :app_id)
     + (SELECT count(*) FROM held_sends WHERE app_id = :app_id AND is_broadcast)
     + (SELECT count(*) FROM broadcasts
         WHERE app_id = :app_id AND status IN ('PENDING', 'EXPANDING')) AS broadcasts
""")


def count_holdings(connection: Connection, app_id: int) -> Holdings:
    """What waits until the app with this integer id is enabled, or would wait if it were disabled now."""
    row = connection.execute(_COUNT, {"app_id": app_id}).one()
    return Holdings(row.sends, row.broadcasts)
