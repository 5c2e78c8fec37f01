"""An instant as a number, as every answer and frame has it beside its text (contract §0, Times). Pure."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_unix_ms(instant: datetime) -> int:
    """The whole milliseconds from 1970 to `instant`, which is aware; what is left of the last one is cut off."""
    # In whole numbers: a float of seconds, times a thousand, is now and then a millisecond short.
    return (instant - _EPOCH) // _MILLISECOND
