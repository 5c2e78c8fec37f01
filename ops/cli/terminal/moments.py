"""A moment on the command line: an instant with its offset, or how long from now or ago it is."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?")


class Moment(click.ParamType[datetime]):
    """An instant with its offset, or a duration: from now on, or, if it `is_past`, back from now."""

    name = "TIME|DURATION"

    def __init__(self, *, is_past: bool = False) -> None:
        self._is_past = is_past

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware instant that `value` names; fails with what would be right."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            return parse_moment(text, now=datetime.now(UTC), is_past=self._is_past)
        except ValueError:
            self.fail(
                f"“{text[:40]}” is neither a duration, such as 90s, 30m, 2h or 1d12h, nor an instant with its offset, "
                "such as 2026-03-18T18:00:00+08:00.",
                param,
                ctx,
            )


def parse_moment(text: str, *, now: datetime, is_past: bool = False) -> datetime:
    """The instant that `text` names: a duration from `now` (or before it), or an instant with its offset.

    Raises ValueError.
    """
    parts = _DURATION.fullmatch(text)
    if parts and text:
        given = zip(_UNITS.values(), parts.groups(default="0"), strict=True)
        try:
            length = timedelta(**{unit: int(number) for unit, number in given})
            return now - length if is_past else now + length
        except OverflowError as error:
            raise ValueError(text) from error
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at
