"""Errors as `/openapi.json` has them: one response for each status, with its codes and an example of each (contract §0)."""

from collections.abc import Callable, Iterable

from ingest.documents.schemas import Shape
from ingest.http.endpoint import Endpoint, HeaderNote
from storage.model.error_codes import ErrorCode
from storage.model.errors import (
    CarillonError,
    Invalid,
    NotAllowed,
    NotSignedIn,
    OverLimit,
    TooLarge,
    TooSlow,
    TransientError,
)
from storage.model.http_status import MEANING

_JSON = "application/json"
_DETAIL = "What is wrong: a sentence, for logs and people. Programs go by `code`."
_NAMES: Shape = {
    # No enum: new codes come, and a client that was generated from this document must live through them.
    "code": {
        "type": "string",
        "description": "Which error it is, a stable word; the response of each status lists its own. Treat one that you "
        "do not know by the status.",
        "examples": ["UNKNOWN_RECEIVER"],
    },
    "request_id": {"type": "string", "description": "As in the header `X-Request-Id`."},
}
_PROBLEM: Shape = {
    "type": "object",
    "description": "Why a request was refused or failed.",
    "required": ["detail", "code", "request_id"],
    "properties": {"detail": {"type": "string", "description": _DETAIL}, **_NAMES}
    | {
        "server_time": {
            "type": "integer",
            "description": "With `CLOCK_SKEW` only: the server's time in Unix seconds.",
        }
    },
}
_FIELD_PROBLEMS: Shape = {
    "type": "object",
    "description": "What is wrong with the fields of a request.",
    "required": ["detail", "code", "request_id"],
    "properties": {
        "detail": {
            "type": "array",
            "description": "One entry for each thing that is wrong.",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {
                        "type": "array",
                        "description": "Where: `body`, `path`, `query` or `header`, then the names of fields and places in lists.",
                        "items": {"type": ["string", "integer"]},
                    },
                    "msg": {"type": "string", "description": "What is wrong, as a sentence."},
                    "type": {
                        "type": "string",
                        "description": "A stable word for the kind of mistake.",
                    },
                },
            },
        },
        **_NAMES,
    },
}
SCHEMAS: Shape = {"Problem": _PROBLEM, "FieldProblems": _FIELD_PROBLEMS}

_LATER = HeaderNote(
    "Retry-After", "Seconds to wait before the same request may be sent again.", "3"
)
_HEADERS = {
    401: HeaderNote(
        "WWW-Authenticate", "The ways to say who is calling.", 'Bearer realm="carillon"'
    ),
    429: _LATER,
    503: _LATER,
}

# Where each wrong value of a 422 stands, in examples.
_PLACES: dict[ErrorCode, list[str]] = {
    ErrorCode.VALIDATION: ["body", "title"],
    ErrorCode.KEY_REUSED: ["header", "Idempotency-Key"],
    ErrorCode.HOST_NOT_ALLOWED: ["body", "target_url"],
    ErrorCode.NOT_UPLOADED: ["body", "content"],
    ErrorCode.SEND_AT_PAST: ["body", "send_at"],
    ErrorCode.NO_BUTTON: ["path", "message_id"],
}
# What only the console or the handshake of a socket answers: this document describes neither.
_ELSEWHERE = frozenset(
    {
        ErrorCode.CONSOLE_HEADER_MISSING,
        ErrorCode.LAST_ADMIN,
        ErrorCode.OPERATOR_EXISTS,
        ErrorCode.ORIGIN_NOT_ALLOWED,
        ErrorCode.TICKET_NOT_VALID,
        ErrorCode.TOO_MANY_SIGN_INS,
        ErrorCode.TOO_MANY_SOCKETS,
        ErrorCode.UNKNOWN_FAILED_SEND,
        ErrorCode.UNKNOWN_OPERATOR,
        ErrorCode.UNKNOWN_QUEUE,
    }
)


def list_statuses(endpoint: Endpoint, *, takes_values: bool) -> set[int]:
    """The statuses of the errors that an endpoint can answer; `takes_values`: it has fields that can be wrong."""
    kinds: set[type[CarillonError]] = {TransientError, *endpoint.errors}
    if endpoint.callers.people or endpoint.callers.apps:
        kinds |= {NotSignedIn}
    if endpoint.callers.people != endpoint.callers.apps:
        kinds |= {NotAllowed}
    if takes_values or endpoint.request_headers:
        kinds |= {Invalid}
    has_slots = endpoint.takes_slot and (endpoint.callers.people or endpoint.callers.apps)
    if endpoint.quota is not None or has_slots:
        kinds |= {OverLimit}
    if endpoint.takes_json or endpoint.takes_stream:
        kinds |= {TooLarge, TooSlow}
    return {500, *(kind.code.status for kind in kinds)}


def refer_to(status: int) -> Shape:
    """A reference to the response of this status."""
    return {"$ref": f"#/components/responses/Error{status}"}


def build_responses(build_headers: Callable[[Iterable[HeaderNote]], Shape]) -> Shape:
    """The response of every error status, for `components`; `build_headers` describes headers."""
    return {f"Error{status}": _build_response(status, build_headers) for status in sorted(MEANING)}


def _build_response(status: int, build_headers: Callable[[Iterable[HeaderNote]], Shape]) -> Shape:
    schema = "FieldProblems" if status == Invalid.code.status else "Problem"
    codes = [code for code in ErrorCode if code.status == status and code not in _ELSEWHERE]
    lines = (f"- `{code.name}`: {code.meaning} {code.advice}" for code in codes)
    examples = {
        code.name: {"summary": code.meaning, "value": _build_example(code)} for code in codes
    }
    return {
        "description": "\n".join([MEANING[status], "", *lines]),
        "headers": build_headers([_HEADERS[status]] if status in _HEADERS else []),
        "content": {
            _JSON: {
                "schema": {"$ref": f"#/components/schemas/{schema}"},
                "examples": examples,
            }
        },
    }


def _build_example(code: ErrorCode) -> Shape:
    usual: Shape = {"detail": code.meaning, "code": code.name, "request_id": "6f2c0e1d94aa-1f"}
    if code.status == Invalid.code.status:
        place = _PLACES.get(code, ["body"])
        usual["detail"] = [{"loc": place, "msg": code.meaning, "type": "value_error"}]
    return usual | ({"server_time": 1773828600} if code is ErrorCode.CLOCK_SKEW else {})
