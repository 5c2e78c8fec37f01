"""Whose turn it is to do what has to happen by the clock, such as the sweep; and when it was done last.

Beat asks for it; workers that see it late do it instead (`workers/beat_fallback.py`), one of them at a time.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

SWEEP = "sweep"
UPKEEP = "upkeep"
DISABLED = "disabled"
DISABLED_IN_FULL = "disabled in full"

_NOTE = text("""
INSERT INTO turns (name) VALUES (:name)
ON CONFLICT (name) DO UPDATE SET on_time_at = excluded.on_time_at, taken_at = excluded.taken_at
""")


def record_start(connection: Connection, name: str) -> None:
    """Say that it is being done, asked for by its own clock."""
    connection.execute(_NOTE, {"name": name})


# An instant in the future is one of before the clock was set back: it says nothing. Asked before it is taken,
# so that who asks every second writes nothing. By the primary key.
_IS_LATE = """
(turns.on_time_at NOT BETWEEN clock_timestamp() - CAST(:late AS interval)
                          AND clock_timestamp() + CAST(:late AS interval)
 AND turns.taken_at NOT BETWEEN clock_timestamp() - CAST(:every AS interval)
                            AND clock_timestamp() + CAST(:every AS interval))
"""
_TAKE = text(f"""
INSERT INTO turns (name)
SELECT :name
 WHERE NOT EXISTS (SELECT 1 FROM turns WHERE name = :name AND NOT {_IS_LATE})
ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at WHERE {_IS_LATE}
RETURNING xmax <> 0 AS was_there
""")  # noqa: S608 (a constant)


def take_over(connection: Connection, name: str, *, late: timedelta, every: timedelta) -> bool:
    """Whether the caller is to do it now: it was not done on time for `late`, nor by anyone for `every`.

    What nobody has done yet is late that long after it was first asked for here.
    """
    asked = {"name": name, "late": late, "every": every}
    return bool(connection.execute(_TAKE, asked).scalar())


@dataclass(frozen=True, slots=True)
class LastStart:
    """How long ago it was last done because its own clock asked, and by anyone."""

    on_time_seconds: float
    taken_seconds: float


_LAST = text("""
SELECT extract(epoch FROM clock_timestamp() - on_time_at) AS on_time_seconds,
       extract(epoch FROM clock_timestamp() - taken_at) AS taken_seconds
  FROM turns WHERE name = :name
""")


def find_last_start(connection: Connection, name: str) -> LastStart | None:
    """The last time; None if it was never done, or not since PostgreSQL recovered from a crash."""
    row = connection.execute(_LAST, {"name": name}).first()
    return None if row is None else LastStart(float(row.on_time_seconds), float(row.taken_seconds))
