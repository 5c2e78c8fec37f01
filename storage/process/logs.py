"""What every process writes about itself: lines for people or JSON, one request id, no credentials.

Our own lines from CARILLON_LOG_LEVEL on, libraries' from warnings on. At `debug` every request, send, chunk
and push has a line with its request id. Bodies are never logged, by us or (`hide_parameters`) by SQLAlchemy;
credentials are removed from every text of a line, whichever logger wrote it, and long texts are cut first.
"""

import logging
import re
import string
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pythonjsonlogger.orjson import OrjsonFormatter

from storage.setting_parsers import one_of
from storage.settings import setting

# The id of the request that is being answered, for every line that is logged meanwhile.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

PACKAGES = ("ingest", "workers", "push_gateway", "storage", "ops")
# They have handlers of their own, which do not know our form.
_SERVERS = ("uvicorn", "uvicorn.access", "uvicorn.error", "uvicorn.asgi")

# Tokens and tickets in query strings, JWTs anywhere, Authorization, signatures, and the console's cookie.
# Anybody can write what is searched, so no pattern may backtrack (possessive and atomic groups): otherwise `eyJ`
# repeated many times would occupy the process for seconds. What stands before a JWT without a break goes with it.
SECRET = re.compile(
    r"(?i:(?<=token=)|(?<=ticket=)|(?<=token%3d)|(?<=ticket%3d))[^&\s\"']++"
    r"|(?<![\w-])(?>[\w-]*?eyJ)[\w-]++\.[\w-]++\.[\w-]*+"
    r"|(?i:(?<=bearer ))[^\s\"',]++"
    r"|(?i:(?<=carillon_console=))[^;\s\"']++"
    r"|(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])"
)
# Characters of one text of a line. Of a longer one the beginning and the end are kept: a traceback's end says most.
LONGEST = 16 * 1024
_END = LONGEST // 4
# The characters of credentials: where a text is cut, what is left of one goes too.
_OF_CREDENTIALS = string.ascii_letters + string.digits + "-_.=+/%~"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Form and level."""

    format: str = setting(
        "CARILLON_LOG_FORMAT",
        "human",
        parse=one_of("human", "json"),
        help="Lines for people (human), or one JSON object a line (json); on stderr.",
    )
    level: str = setting(
        "CARILLON_LOG_LEVEL",
        "info",
        parse=one_of("debug", "info", "warning", "error"),
        help="From which level on Carillon's own lines are written; libraries' are from warning on. "
        "debug: a line for every request, send and push, with its request id.",
    )


def configure(settings: LogSettings, *, process: str) -> None:
    """Make all logs of this process come in one form, on stderr. `process` names its kind. Harmless to repeat."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(make_formatter(settings, process=process))
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in PACKAGES:
        logging.getLogger(name).setLevel(settings.level.upper())
    for name in _SERVERS:
        logger = logging.getLogger(name)
        # A logger that is switched off (--no-access-log) stays off. With a handler anywhere uvicorn would make a line
        # of every request, whatever the level, which costs much of a send's CPU.
        if logger.hasHandlers():
            logger.handlers = []
            logger.propagate = True


def make_formatter(settings: LogSettings, *, process: str) -> logging.Formatter:
    """The formatter of the settings; its lines have no credentials and are not too long."""
    return _Json(process) if settings.format == "json" else _Human(process)


def redact(text: str) -> str:
    """`text` with every credential replaced by `***`; of a text longer than LONGEST its beginning and its end."""
    if len(text) <= LONGEST:
        return SECRET.sub("***", text)
    begin = text[: LONGEST - _END].rstrip(_OF_CREDENTIALS)
    end = text[-_END:].lstrip(_OF_CREDENTIALS)
    left_out = len(text) - len(begin) - len(end)
    return SECRET.sub("***", f"{begin}… {left_out} characters left out …{end}")


def _add_request_id(record: logging.LogRecord) -> bool:
    if not hasattr(record, "request_id"):
        record.request_id = REQUEST_ID.get()
    return True


class _Human(logging.Formatter):
    """Time in UTC, level, process, logger, text, and the request id if there is one."""

    converter = time.gmtime  # type: ignore[assignment]

    def __init__(self, process: str) -> None:
        super().__init__(
            f"{{asctime}}.{{msecs:03.0f}}Z {{levelname}} {process} {{name}}: {{message}}",
            datefmt="%Y-%m-%dT%H:%M:%S",
            style="{",
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The line, before a traceback."""
        request_id = getattr(record, "request_id", "")
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback, without credentials."""
        return redact(super().format(record))


class _Json(OrjsonFormatter):
    """One JSON object a line: time, level, process, logger, message, request_id, exc_info."""

    def __init__(self, process: str) -> None:
        super().__init__(
            "{levelname}{name}{message}{request_id}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"process": process},
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """The fields without credentials. They are redacted one by one: in the finished JSON it could break an escape."""
        return {
            name: redact(value) if isinstance(value, str) else value
            for name, value in log_data.items()
        }
