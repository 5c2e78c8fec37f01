"""The settings of the ingest process; the `help` of every field says its unit and consequence."""

from dataclasses import dataclass
from datetime import timedelta

from storage.setting_parsers import duration, whole_number, yes_or_no
from storage.settings import setting

_SHORTEST_TOKEN = 16


def _parse_operator_token(text: str) -> str:
    """The token, if it is too long to be guessed; raises ValueError if not."""
    if len(text) < _SHORTEST_TOKEN:
        raise ValueError(f"must have at least {_SHORTEST_TOKEN} characters")
    return text


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What an ingest process allows, and how long it waits."""

    content_limit_bytes: int = setting(
        "CARILLON_CONTENT_LIMIT_BYTES",
        64 * 1024,
        parse=whole_number(1, 16 * 1024 * 1024),
        help="Longest `content` of a message, in bytes of UTF-8; a longer one is answered 413.",
    )
    batch_body_limit_bytes: int = setting(
        "CARILLON_BATCH_BODY_LIMIT_BYTES",
        8 * 1024 * 1024,
        parse=whole_number(1024, 1024 * 1024 * 1024),
        help="Longest body of an app's POST /messages/ (an audience is long) and /messages/batch, in "
        "bytes; a longer one is answered 413 unread.",
    )
    body_timeout: timedelta = setting(
        "CARILLON_BODY_TIMEOUT_SECONDS",
        timedelta(seconds=10),
        parse=duration(0.05, 600),
        help="How long a request body may take to arrive, in seconds; then 408.",
    )
    upload_timeout: timedelta = setting(
        "CARILLON_UPLOAD_TIMEOUT_SECONDS",
        timedelta(minutes=10),
        parse=duration(1, 86400),
        help="How long an upload to the local media store may take, in seconds; then 408.",
    )
    lookup_lifetime: timedelta = setting(
        "CARILLON_LOOKUP_LIFETIME_SECONDS",
        timedelta(seconds=2),
        parse=duration(0, 60),
        help="How long people, apps and mappings are remembered, in seconds: a person or app that is "
        "disabled can go on for so long.",
    )
    lookup_size: int = setting(
        "CARILLON_LOOKUP_SIZE",
        100_000,
        parse=whole_number(1, 10_000_000),
        help="How many people and mappings are remembered at most (about 0.5 KiB each).",
    )
    lookup_patience: timedelta = setting(
        "CARILLON_LOOKUP_PATIENCE_SECONDS",
        timedelta(milliseconds=700),
        parse=duration(0.01, 60),
        help="How long a request waits for a look-up of who is calling or named, in seconds; then 503.",
    )
    intake_batch: int = setting(
        "CARILLON_INTAKE_BATCH",
        500,
        parse=whole_number(1, 5000),
        help="How many sends are committed together at most.",
    )
    intake_patience: timedelta = setting(
        "CARILLON_INTAKE_PATIENCE_SECONDS",
        timedelta(milliseconds=700),
        parse=duration(0.05, 60),
        help="How long a send waits for its commit, in seconds; then 503 (it may still be accepted).",
    )
    accepted_cap: int = setting(
        "CARILLON_ACCEPTED_CAP",
        200_000,
        parse=whole_number(1, 2**31),
        help="How many sends may wait to be delivered; past it new ones are answered 503.",
    )
    backlog_interval: timedelta = setting(
        "CARILLON_BACKLOG_INTERVAL_SECONDS",
        timedelta(seconds=1),
        parse=duration(0.05, 60),
        help="How often the number of waiting sends is counted, in seconds.",
    )
    signature_window: timedelta = setting(
        "CARILLON_SIGNATURE_WINDOW_SECONDS",
        timedelta(seconds=300),
        parse=duration(1, 86400),
        help="How far an app's X-Timestamp may be from our clock, in seconds; beyond it 401.",
    )
    schedule_ahead: timedelta = setting(
        "CARILLON_SCHEDULE_AHEAD_SECONDS",
        timedelta(days=90),
        parse=duration(0, 366 * 86400),
        help="How far ahead `send_at` may be, in seconds.",
    )

    console_token: str = setting(
        "CARILLON_CONSOLE_TOKEN",
        "",
        parse=_parse_operator_token,
        secret=True,
        help="What the first admin signs in with at /console, without a name. Not set: there is no console, "
        "unless CARILLON_CONSOLE says so.",
    )
    console_without_token: bool = setting(
        "CARILLON_CONSOLE",
        default=False,
        parse=yes_or_no,
        help="Whether there is a console although CARILLON_CONSOLE_TOKEN is not set: only operators with a name "
        "can sign in then (`carillon operator add`).",
    )
    recall_hours: int = setting(
        "CARILLON_RECALL_HOURS",
        24,
        parse=whole_number(0, 366 * 24),
        help="How long a person may take a message back, in hours; later 403. Apps always may.",
    )

    @property
    def has_console(self) -> bool:
        """Whether operators can sign in at /console."""
        return bool(self.console_token) or self.console_without_token

    @property
    def body_limit_bytes(self) -> int:
        """The longest body of any other request: the longest content, all in JSON escapes, and the other fields."""
        return 6 * self.content_limit_bytes + 32 * 1024


@dataclass(frozen=True, slots=True)
class InboxSettings:
    """Whether there is a page at /inbox, and whether the demo's people sign in there without a password."""

    is_on: bool = setting(
        "CARILLON_INBOX",
        default=False,
        parse=yes_or_no,
        help="Whether the page on which people read and write is at /inbox; `make run` has it.",
    )
    has_demo: bool = setting(
        "CARILLON_INBOX_DEMO",
        default=False,
        parse=yes_or_no,
        help="Whether everybody on this machine can sign in at /inbox as one of the demo's three people, without a "
        "password. `carillon up` says so itself on a loopback address with a secret of its own making; nothing else starts with it.",
    )
    host: str = setting(
        "CARILLON_HOST",
        "",
        help="Address that REST and WebSocket listen on, as `carillon up` tells its processes. The demo's people sign in on a loopback "
        "address only.",
    )
