"""How settings are declared and read, and those that storage itself needs.

A settings class is a frozen dataclass whose fields are made with `setting`; `load` builds it from a
mapping (the process environment, or a test's dict). Nothing here reads `os.environ`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.model.errors import InvalidSettings

Settings = TypeVar("Settings")


def setting(
    name: str,
    default: Any = MISSING,
    *,
    parse: Callable[[str], Any] = str,
    help: str,
    secret: bool = False,
) -> Any:
    """Declare one field read from the environment variable `name`.

    `parse` turns its text into the value and may raise ValueError with a sentence; `default` is the
    parsed value; without one the variable is required. `help` states unit and consequence. What a
    `secret` holds is never shown, also not when it is malformed.
    """
    metadata = {"name": name, "parse": parse, "help": help, "secret": secret}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def load(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Build `kind` from `environ`; an empty value counts as not set.

    Raises InvalidSettings with a line for each variable that is missing or malformed.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for item in list_fields(kind):
        text = environ.get(item.metadata["name"], "")
        try:
            if text:
                values[item.name] = _parsed(item, text)
            elif item.default is MISSING:
                wrong.append(f"{item.metadata['name']} must be set: {item.metadata['help']}")
        except InvalidSettings as error:
            wrong.append(error.detail)
    if wrong:
        raise InvalidSettings("\n".join(wrong))
    return kind(**values)


def check(kinds: Iterable[type[Any]], environ: Mapping[str, str]) -> None:
    """Raises InvalidSettings with a line for each variable of all these classes that is missing or malformed.

    For the start of a process: who mends settings should see all that is wrong, not one after the other.
    """
    wrong: dict[str, None] = {}
    for kind in kinds:
        try:
            load(kind, environ)
        except InvalidSettings as error:
            wrong |= dict.fromkeys(error.detail.splitlines())
    if wrong:
        raise InvalidSettings("\n".join(wrong))


def list_fields(kind: type[Any]) -> list[Field[Any]]:
    """The fields of a settings class that come from the environment, in order."""
    return [item for item in fields(kind) if "name" in item.metadata]


def _parsed(item: Field[Any], text: str) -> Any:
    try:
        return item.metadata["parse"](text)
    except ValueError as error:
        shown = "" if item.metadata["secret"] else f"={text!r}"
        raise InvalidSettings(f"{item.metadata['name']}{shown}: {error}") from error


def whole(minimum: int = 0, maximum: int = 2**31) -> Callable[[str], int]:
    """A parser of whole numbers within bounds."""

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
    """A parser of durations given in seconds."""

    def parse(text: str) -> timedelta:
        try:
            seconds = float(text)
        except ValueError:
            raise ValueError("must be a number of seconds") from None
        if not minimum <= seconds <= maximum:
            raise ValueError(f"must be from {minimum:g} to {maximum:g} seconds")
        return timedelta(seconds=seconds)

    return parse


def switch(text: str) -> bool:
    """A parser of yes/no values."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be 1/0, true/false, yes/no or on/off")


def words(text: str) -> tuple[str, ...]:
    """A parser of comma-separated lists; blanks are dropped."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def zone(text: str) -> ZoneInfo:
    """A parser of IANA time zone names."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a known time zone, such as UTC or Asia/Shanghai") from None


def one_of(*allowed: str) -> Callable[[str], str]:
    """A parser that takes one of the given words only."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def database_url(text: str) -> str:
    """A PostgreSQL URL with the psycopg driver named, whatever scheme spelling it came in."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgresql://")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError("is no URL: are @, / and : in the password percent-encoded?") from None
    return f"postgresql+psycopg://{rest}"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the record is and how long one may wait for it."""

    url: str = setting(
        "CARILLON_DATABASE_URL",
        parse=database_url,
        secret=True,
        help="PostgreSQL, as postgresql://user:password@host:port/database.",
    )
    owner_url: str = setting(
        "CARILLON_DATABASE_OWNER_URL",
        "",
        parse=database_url,
        secret=True,
        help="The same database, as the role that owns its tables: for `carillon db upgrade`, `db roles` and a first `user import`. Not set: "
        "CARILLON_DATABASE_URL's role owns them.",
    )
    pool_size: int = setting(
        "CARILLON_DATABASE_POOL_SIZE",
        16,
        parse=whole(1, 200),
        help="Connections a process keeps at most, ingest at least 5: it divides them up between sends, reads, lists, "
        "strangers and probes. More requests than that wait their turn.",
    )
    pool_wait: timedelta = setting(
        "CARILLON_DATABASE_POOL_WAIT_SECONDS",
        timedelta(milliseconds=200),
        parse=duration(0.01, 60),
        help="How long a request waits for a free connection before it is answered 503.",
    )
    statement_timeout: timedelta = setting(
        "CARILLON_DATABASE_STATEMENT_TIMEOUT_SECONDS",
        timedelta(seconds=10),
        parse=duration(0.1, 3600),
        help="A read that runs longer is cancelled by PostgreSQL and answered 503.",
    )


@dataclass(frozen=True, slots=True)
class ValkeySettings:
    """Where the bus, tickets and limits are."""

    url: str = setting(
        "CARILLON_VALKEY_URL",
        secret=True,
        help="Valkey or Redis, as redis://:password@host:port/0.",
    )
    timeout: timedelta = setting(
        "CARILLON_VALKEY_TIMEOUT_SECONDS",
        timedelta(seconds=2),
        parse=duration(0.05, 60),
        help="A command that takes longer counts as failed.",
    )


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """How instants are shown."""

    time_zone: ZoneInfo = setting(
        "CARILLON_TIME_ZONE",
        ZoneInfo("UTC"),
        parse=zone,
        help="Times in answers and frames are in this zone, without an offset.",
    )


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where a single machine keeps its files."""

    path: Path = setting(
        "CARILLON_DATA_DIR",
        Path(".carillon"),
        parse=Path,
        help="Folder of the embedded servers' data, logs and locally stored media.",
    )
