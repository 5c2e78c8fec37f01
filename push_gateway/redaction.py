"""Keeps credentials out of uvicorn's logs, which quote request targets (contract §5: never logged)."""

import logging
import re

# uvicorn.access: the target of plain HTTP requests; uvicorn.asgi: whole scopes, at TRACE.
LOGGERS = ("uvicorn.access", "uvicorn.asgi", "uvicorn.error")
SECRET = re.compile(
    r"(?<=token=)[^&\s\"']+|(?<=ticket=)[^&\s\"']+|eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=earer )[^\s\"',]+"
)


class Redaction(logging.Filter):
    """Blots out tokens and tickets in the text of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes; one that holds a secret passes without it."""
        if isinstance(record.args, tuple):
            record.args = tuple(_redacted(value) for value in record.args)
        if isinstance(record.msg, str):
            record.msg = SECRET.sub("***", record.msg)
        return True


def install() -> None:
    """Put the filter on uvicorn's loggers; harmless to repeat."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, Redaction) for known in logger.filters):
            logger.addFilter(Redaction())


def _redacted(value: object) -> object:
    if isinstance(value, int | float):
        return value
    text = str(value)
    clean = SECRET.sub("***", text)
    return value if clean == text else clean
