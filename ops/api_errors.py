"""Errors of `carillon_client` as ours: the one edge between the SDK, which commands use, and our three families."""

from collections.abc import Iterator
from contextlib import contextmanager

import carillon_client
from storage.model.errors import CallerError, CarillonError, PermanentError, TransientError


@contextmanager
def translate_errors() -> Iterator[None]:
    """In this block, or function, what the SDK raises becomes CallerError, TransientError or PermanentError."""
    try:
        yield
    except carillon_client.CarillonError as error:
        raise translate(error) from error


def translate(error: carillon_client.CarillonError) -> CarillonError:
    """Our error for one of the SDK's: what can be mended by the caller, what ends by itself, and what neither."""
    said = f"The API answered {error.status}: {error.detail}" if error.status else error.detail
    match error:
        case carillon_client.TemporaryError():
            return TransientError(said)
        case carillon_client.RefusedError() | carillon_client.NotCarillonError():
            return CallerError(said)
        case _:
            return PermanentError(said)
