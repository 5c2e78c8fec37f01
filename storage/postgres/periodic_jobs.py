"""When each periodic job, such as the sweep, was begun last, and who may begin one that is late.

Beat asks for these jobs. When it is late, workers begin them instead (`workers/beat_fallback.py`), one worker at a time.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

SWEEP = "sweep"
UPKEEP = "upkeep"
DISABLED = "disabled"
DISABLED_IN_FULL = "disabled in full"

_RECORD = text("""
INSERT INTO turns (name) VALUES (:name)
ON CONFLICT (name) DO UPDATE SET on_time_at = excluded.on_time_at, taken_at = excluded.taken_at
""")


def record_start(connection: Connection, name: str) -> None:
    """Record that the job begins now because its own clock asked for it."""
    connection.execute(_RECORD, {"name": name})


# An instant in the future was written before the clock was set back, and counts as late. The condition is checked
# before the INSERT too, so that asking every second writes nothing. Primary key.
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
    """Whether the caller is to do the job now, which is then recorded; one caller at a time is told so.

    It is, when the job was not begun by its own clock for `late`, nor by anybody for `every`. For a job that was never
    begun both times count from the first call of this function.
    """
    asked = {"name": name, "late": late, "every": every}
    return bool(connection.execute(_TAKE, asked).scalar())


@dataclass(frozen=True, slots=True)
class LastStart:
    """How many seconds ago a job was last begun because its own clock asked, and by anybody."""

    on_time_seconds: float
    taken_seconds: float


_LAST = text("""
SELECT extract(epoch FROM clock_timestamp() - on_time_at) AS on_time_seconds,
       extract(epoch FROM clock_timestamp() - taken_at) AS taken_seconds
  FROM turns WHERE name = :name
""")


def find_last_start(connection: Connection, name: str) -> LastStart | None:
    """When the job was last begun; None if never, or not since PostgreSQL recovered from a crash."""
    row = connection.execute(_LAST, {"name": name}).first()
    return None if row is None else LastStart(float(row.on_time_seconds), float(row.taken_seconds))
