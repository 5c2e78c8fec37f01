"""How far PostgreSQL's clock may be ahead of a process's clock before it is taken for wrong."""

from datetime import UTC, datetime, timedelta

# Clocks that differ by some minutes must go on working. Beyond an hour, ids would be made of a time that live sends
# would not reach for as long (docs/decisions/0004-ids-from-the-record.md).
CLOCK_TOLERANCE = timedelta(hours=1)


def latest_plausible(now: datetime | None = None) -> datetime:
    """The latest instant that PostgreSQL's clock may show without being taken for wrong.

    `now`: the time by the clock of the process that asks; None for the system's.
    """
    return (now or datetime.now(UTC)) + CLOCK_TOLERANCE
