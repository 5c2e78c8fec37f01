"""How settings are declared and read, and those that storage itself needs.

A settings class is a frozen dataclass whose fields are made with `setting`; `load` builds it from a
mapping (the process environment, or a test's dict). Nothing here reads `os.environ`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from storage.model.cross_origin import AllowedOrigins, parse_origins
from storage.model.errors import InvalidSettings
from storage.setting_parsers import comma_separated, database_url, duration, time_zone, whole_number

Settings = TypeVar("Settings")


def setting(
    name: str,
    default: Any = MISSING,
    *,
    parse: Callable[[str], Any] = str,
    help: str,
    secret: bool = False,
) -> Any:
    """Declare a field of a settings class, which is read from the environment variable `name`.

    `parse` turns the text into the value, or raises ValueError with a sentence. `default` is a parsed value; without one
    the variable is required. `help` states unit and consequence. The text of a `secret` is never shown, not even when it
    is malformed.
    """
    metadata = {"name": name, "parse": parse, "help": help, "secret": secret}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def load(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Build the settings class `kind` from `environ`; an empty variable counts as not set.

    Raises InvalidSettings with a line for each variable that is missing or malformed.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for item in list_fields(kind):
        text = environ.get(item.metadata["name"], "")
        try:
            if text:
                values[item.name] = _parse_field(item, text)
            elif item.default is MISSING:
                wrong.append(f"{item.metadata['name']} must be set: {item.metadata['help']}")
        except InvalidSettings as error:
            wrong.append(error.detail)
    if wrong:
        raise InvalidSettings("\n".join(wrong))
    return kind(**values)


def check(kinds: Iterable[type[Any]], environ: Mapping[str, str]) -> None:
    """Raise InvalidSettings if any variable of these classes is missing or malformed, with a line for each.

    For the start of a process: an operator should see everything that is wrong at once.
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


def _parse_field(item: Field[Any], text: str) -> Any:
    try:
        return item.metadata["parse"](text)
    except ValueError as error:
        shown = "" if item.metadata["secret"] else f"={text!r}"
        raise InvalidSettings(f"{item.metadata['name']}{shown}: {error}") from error


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the record is, and how long anything may wait for it."""

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
        parse=whole_number(1, 200),
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


def _parse_origins(text: str) -> tuple[str, ...]:
    listed = comma_separated(text)
    parse_origins(listed)
    return listed


@dataclass(frozen=True, slots=True)
class OriginSettings:
    """Which web pages may call."""

    origins: tuple[str, ...] = setting(
        "CARILLON_ORIGINS",
        (),
        parse=_parse_origins,
        help="Origins of web pages that may call the API, fetch media and open sockets, with commas between: "
        "https://app.example.com, or http://localhost:* for any port of one's own machine. Not set: only pages that "
        "this server's own host serves may; `make run` lists the loopback origins.",
    )

    @property
    def allowed(self) -> AllowedOrigins:
        """The origins, to ask."""
        return parse_origins(self.origins)


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """How instants are shown."""

    time_zone: ZoneInfo = setting(
        "CARILLON_TIME_ZONE",
        ZoneInfo("UTC"),
        parse=time_zone,
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
