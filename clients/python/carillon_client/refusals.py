"""Reads the errors of responses (docs/api/errors.md): which member of the family each is."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from carillon_client.errors import (
    CarillonError,
    ClockSkewError,
    FieldError,
    InvalidError,
    NotAllowedError,
    NotCarillonError,
    NotFoundError,
    NotSignedInError,
    RefusedError,
    TemporaryError,
)

_BY_STATUS: dict[int, type[RefusedError]] = {
    HTTPStatus.UNAUTHORIZED: NotSignedInError,
    HTTPStatus.FORBIDDEN: NotAllowedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
}
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_FIRST_ERROR = 400
_FIRST_FAULT = 500
_FIRST_SUCCESS = 200
_FIRST_REDIRECT = 300


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> CarillonError | None:
    """The error that a response is; None if it is a success."""
    if _FIRST_SUCCESS <= status < _FIRST_REDIRECT:
        return None
    said = _read_object(body)
    if said is None or status < _FIRST_ERROR:
        return _read_foreign(status, headers)
    request_id = headers.get("x-request-id") or said.get("request_id")
    return make_error(
        status,
        said,
        request_id=request_id,
        retry_after=read_retry_after(headers.get("retry-after")),
    )


def make_error(
    status: int,
    said: Mapping[str, Any],
    *,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> CarillonError:
    """The error that an answer, or an entry of a batch, says: `detail` and `code`."""
    fields = read_fields(said.get("detail"))
    kind: type[CarillonError] = _BY_STATUS.get(status, RefusedError)
    if status in _LATER or status >= _FIRST_FAULT:
        kind = TemporaryError
    server_time = said.get("server_time")
    if isinstance(server_time, int):
        kind = ClockSkewError
    error = kind(
        _describe(said.get("detail"), fields),
        status=status,
        code=str(said.get("code") or ""),
        request_id=request_id,
        fields=fields,
        retry_after=retry_after,
    )
    if isinstance(error, ClockSkewError) and isinstance(server_time, int):
        error.server_time, error.offset = server_time, round(time.time() - server_time, 1)
    return error


def read_fields(detail: Any) -> tuple[FieldError, ...]:
    """The wrong fields of a 422; empty for anything else."""
    if not isinstance(detail, list):
        return ()
    return tuple(
        FieldError(tuple(one.get("loc", ())), str(one.get("msg", "")), str(one.get("type", "")))
        for one in detail
        if isinstance(one, dict)
    )


def read_retry_after(text: str | None) -> float | None:
    """The seconds of a Retry-After, which may be a date (RFC 9110 §10.2.3); None without a readable one."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return max(0.0, at - time.time())


def _read_object(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) and "detail" in said else None


def _read_foreign(status: int, headers: Mapping[str, str]) -> CarillonError:
    """An error that is not the API's: a proxy's. Its 502, 503 and 504 end by themselves."""
    detail = f"Something that is not Carillon's API answered {status}."
    if status in _LATER or status >= _FIRST_FAULT:
        return TemporaryError(
            detail,
            status=status,
            code="NOT_CARILLON",
            retry_after=read_retry_after(headers.get("retry-after")),
        )
    return NotCarillonError(detail, status=status, code="NOT_CARILLON")


def _describe(detail: Any, fields: tuple[FieldError, ...]) -> str:
    """The sentence; for a 422 the sentence of every field, with the field's name."""
    if fields:
        return "; ".join(f"{one.loc[-1]}: {one.msg}" if one.loc else one.msg for one in fields)
    return str(detail)
