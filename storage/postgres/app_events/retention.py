"""How long events are kept: 7 days, or until the app has them if that is later, and 30 days at most (contract §9).

A part of upkeep, in slices.
"""

from datetime import timedelta

from sqlalchemy import Connection, text

KEPT_FOR = timedelta(days=7)
KEPT_AT_MOST = timedelta(days=30)

# The app has an event when its URL has answered, or, if none is active, when a pull has asked for what comes after it.
# Index app_events_created_at: of what is older than 7 days there is left what an app has not taken.
_DROP_EVENTS = text("""
DELETE FROM app_events WHERE number = ANY (ARRAY(
  SELECT e.number FROM app_events e LEFT JOIN app_callbacks k ON k.app_id = e.app_id
   WHERE e.created_at < clock_timestamp() - CAST(:kept AS interval)
     AND (e.created_at < clock_timestamp() - CAST(:at_most AS interval) OR k.app_id IS NULL
          OR e.seq <= CASE WHEN k.url IS NOT NULL AND k.status = 'ACTIVE' THEN k.taken_up_to ELSE k.pulled_up_to END)
   ORDER BY e.created_at LIMIT :slice))
""")
# Along the primary key: of each app the oldest reads come first.
_DROP_READS = text("""
DELETE FROM app_reads r USING (
  SELECT o.app_id, o.number FROM apps a CROSS JOIN LATERAL (
    SELECT app_id, number, read_at FROM app_reads WHERE app_id = a.id ORDER BY number LIMIT :slice) o
   WHERE o.read_at < clock_timestamp() - CAST(:at_most AS interval)) old
 WHERE r.app_id = old.app_id AND r.number = old.number
""")


def drop_old_events(connection: Connection, *, slice: int) -> bool:
    """Delete up to `slice` events that are kept no longer, and reads of 30 days ago that no app has asked for.

    Returns whether there may be more. Safe to repeat, and for two at once.
    """
    asked = {"kept": KEPT_FOR, "at_most": KEPT_AT_MOST, "slice": slice}
    events = connection.execute(_DROP_EVENTS, asked).rowcount
    reads = connection.execute(_DROP_READS, asked).rowcount
    return max(events, reads) >= slice
