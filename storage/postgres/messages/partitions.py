"""The partitions of `messages` and `deliveries`, a month of ids each (docs/decisions/0007-partitions-by-month.md)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

_ADD_MONTHS = text("SELECT add_message_months(:ahead)")


def add_months(connection: Connection, ahead: int) -> int:
    """Make the partitions of this month and the next `ahead` months; returns how many were missing. Safe to repeat."""
    return int(connection.execute(_ADD_MONTHS, {"ahead": ahead}).scalar_one())


# The oldest first: retention takes it that nothing is left of the months before.
_EXPIRED = text("""
SELECT suffix, message_id_floor(first) AS low, message_id_floor(first + interval '1 month') AS high
  FROM (
    SELECT (regexp_match(c.relname, '_y[0-9]{4}m[0-9]{2}$'))[1] AS suffix,
           make_timestamptz(CAST(substr(right(c.relname, 8), 2, 4) AS int),
                            CAST(right(c.relname, 2) AS int), 1, 0, 0, 0, 'UTC') AS first
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = CAST('deliveries' AS regclass)) months
 WHERE first + interval '1 month'
       <= least(clock_timestamp(), CAST(:latest AS timestamptz)) - CAST(:kept AS interval)
 ORDER BY first LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of partitions: `suffix` ends their names, and ids go from `low` to below `high`."""

    suffix: str
    low: int
    high: int


def find_expired_month(connection: Connection, *, kept: timedelta) -> Month | None:
    """The oldest month all of which is older than `kept`; None if there is none.

    Told by PostgreSQL's clock or this process's, the one that is behind: a clock that jumped ahead expires nothing.
    """
    asked = {"kept": kept, "latest": datetime.now(UTC)}
    row = connection.execute(_EXPIRED, asked).first()
    return None if row is None else Month(row.suffix, row.low, row.high)
