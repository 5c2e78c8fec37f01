"""How far PostgreSQL's clock is believed; for the modules of this room that compare it with a process's own."""

from datetime import UTC, datetime, timedelta

# How far PostgreSQL's clock may be ahead of the clock of the process that asks. Clocks that are some minutes
# off go on working; past it ids would be given out that no later one could come after for as long.
CLOCK_TOLERANCE = timedelta(hours=1)


def latest_plausible(now: datetime | None = None) -> datetime:
    """The latest instant that PostgreSQL's clock may show without being taken for wrong.

    `now`: the time by the clock of the process that asks; None for the system's.
    """
    return (now or datetime.now(UTC)) + CLOCK_TOLERANCE
