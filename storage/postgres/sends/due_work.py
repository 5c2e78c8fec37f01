"""Which accepted sends are due, in SQL, and whether the persist lane has something to do.

The holder of the lane asks whether to stay; the sweep and the watchdog ask whether a ring was lost.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from storage.postgres.held_apps import IS_HELD_SEND
from storage.postgres.outbox import HAS_EVENT_TO_PUBLISH, HAS_OVERDUE_EVENT
from storage.postgres.sends.clock_tolerance import CLOCK_TOLERANCE

# The highest id that can be due: above it are only sends that are scheduled for later, however many. It is never below
# the highest live id and the millisecond after that, because ids are made there while a clock that was set back catches
# up (`take_scheduled_ids`). A clock that jumped ahead by more than CLOCK_TOLERANCE makes nothing due before its time.
# It stands in a SELECT of its own, so that PostgreSQL uses it as a bound of the index.
NEWEST_DUE_ID = """(
SELECT greatest(((last_value >> 12) + 2) << 12, message_id_floor(
         CASE WHEN clock_timestamp() > CAST(:now AS timestamptz) + CAST(:tolerance AS interval)
              THEN CAST(:now AS timestamptz) ELSE clock_timestamp() END))
  FROM message_ids)
"""
# Which rows the lane may take. A live send is due at once, also if the clock was set back to before it; but not while it
# rests after a failure. A send of a held app is not taken: the sweep moves it to `held_sends`. If the queue is paused, none is.
IS_DUE_ROW = f"""
id <= {NEWEST_DUE_ID}
AND (ring_at <= clock_timestamp() - CAST(:grace AS interval)
     OR (NOT is_scheduled AND attempts + deaths = 0 AND ring_at > clock_timestamp()))
AND NOT {IS_HELD_SEND}
"""


def due_parameters(now: datetime | None, *, grace: timedelta = timedelta(0)) -> dict[str, Any]:
    """The parameters of NEWEST_DUE_ID and IS_DUE_ROW.

    `now` is the time by this process's clock (None reads it); rows must have been due for `grace`.
    """
    return {"now": now or datetime.now(UTC), "tolerance": CLOCK_TOLERANCE, "grace": grace}


# In id order along the primary key, as the lane takes them. Not EXISTS: PostgreSQL drops its ORDER BY and may scan the
# table, with everything that was persisted and is not vacuumed yet.
_ONE_IS_DUE = f"""(
SELECT id FROM accepted
 WHERE {IS_DUE_ROW}
 ORDER BY id LIMIT 1) IS NOT NULL
"""  # noqa: S608 (constants)
_IS_WAITING = text(f"SELECT {_ONE_IS_DUE} OR (:outbox AND {HAS_EVENT_TO_PUBLISH})")


def has_claimable_work(connection: Connection, *, outbox: bool) -> bool:
    """Whether `persist_lane.claim` would find something to persist or, with `outbox`, an event to publish."""
    asked = due_parameters(None) | {"outbox": outbox}
    return bool(connection.execute(_IS_WAITING, asked).scalar_one())


# The table is empty unless the bus is away or an event is set aside, which rests between its tries.
_ONE_UNPUBLISHED = "EXISTS (SELECT 1 FROM unpublished WHERE try_at <= clock_timestamp())"
_IS_DUE = text(f"SELECT {_ONE_UNPUBLISHED} OR {HAS_EVENT_TO_PUBLISH} OR {_ONE_IS_DUE}")


def has_due_work(connection: Connection) -> bool:
    """Whether something is to be persisted or published now."""
    return bool(connection.execute(_IS_DUE, due_parameters(None)).scalar_one())


_OVERDUE = text(f"""
SELECT {_ONE_UNPUBLISHED} OR {HAS_OVERDUE_EVENT}
    OR EXISTS (SELECT 1 FROM persist_claims
                WHERE ids <> '{{}}' AND claimed_at <= clock_timestamp() - :grace)
    OR {_ONE_IS_DUE}
""")  # noqa: S608 (a constant)


def has_overdue_work(connection: Connection, *, grace: timedelta) -> bool:
    """Whether something waits that has been due for `grace`: its ring may have been lost."""
    return bool(connection.execute(_OVERDUE, due_parameters(None, grace=grace)).scalar_one())


_SCHEDULED_DUE = text(f"""
SELECT EXISTS (SELECT 1 FROM accepted
                WHERE is_scheduled AND ring_at <= (SELECT clock_timestamp()) AND {IS_DUE_ROW})
""")  # noqa: S608 (constants)


def has_due_scheduled_send(connection: Connection) -> bool:
    """Whether a scheduled send is due: nobody rings when it becomes due (index accepted_scheduled)."""
    return bool(connection.execute(_SCHEDULED_DUE, due_parameters(None)).scalar_one())
