"""How long an endpoint rests after a call failed, and when it is given up until an operator resumes it (contract §9). Pure."""

from datetime import timedelta
from typing import Final

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

PAUSES: Final = (
    5 * _SECOND,
    1 * _MINUTE,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    24 * _HOUR,
)


def find_pause(failures: int) -> timedelta | None:
    """How long to rest after so many failures in a row (1 at least); None: no longer tried, the endpoint is paused."""
    return PAUSES[failures - 1] if failures <= len(PAUSES) else None
