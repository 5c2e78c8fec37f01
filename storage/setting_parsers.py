"""How the text of a setting becomes its value. Each parser raises ValueError with a sentence for text of another form.

Used where settings are declared (`storage/settings.py`).
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def whole_number(minimum: int = 0, maximum: int = 2**31) -> Callable[[str], int]:
    """Make a parser of whole numbers within these bounds, both included."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not minimum <= number <= maximum:
            raise ValueError(f"must be from {minimum} to {maximum}")
        return number

    return parse


def duration(
    minimum: float = 0.0, maximum: float = 10 * 366 * 86400.0
) -> Callable[[str], timedelta]:
    """Make a parser of durations in seconds, within these bounds, both included."""

    def parse(text: str) -> timedelta:
        try:
            seconds = float(text)
        except ValueError:
            raise ValueError("must be a number of seconds") from None
        if not minimum <= seconds <= maximum:
            raise ValueError(f"must be from {minimum:g} to {maximum:g} seconds")
        return timedelta(seconds=seconds)

    return parse


def yes_or_no(text: str) -> bool:
    """Parse 1/0, true/false, yes/no or on/off, in any case of letters."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be 1/0, true/false, yes/no or on/off")


def comma_separated(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list; blanks around its words, and empty words, are dropped."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def time_zone(text: str) -> ZoneInfo:
    """Parse the IANA name of a time zone."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a known time zone, such as UTC or Asia/Shanghai") from None


def one_of(*allowed: str) -> Callable[[str], str]:
    """Make a parser that allows only these words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def database_url(text: str) -> str:
    """Parse a PostgreSQL URL: the same one as SQLAlchemy wants it, with the driver in its scheme."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgresql://")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError("is no URL: are @, / and : in the password percent-encoded?") from None
    return f"postgresql+psycopg://{rest}"
