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
    "code": {
        "type": "string",
        "enum": [code.name for code in ErrorCode],
        "description": "Which error it is, a stable word.",
    },
    "request_id": {"type": "string", "description": "As in the header `X-Request-Id`."},
}
_PROBLEM: Shape = {
    "type": "object",
    "description": "Why a request was refused or failed.",
    "required": ["detail", "code", "request_id"],
    "properties": {"detail": {"type": "string", "description": _DETAIL}, **_NAMES},
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


def list_statuses(endpoint: Endpoint, *, takes_values: bool) -> set[int]:
    """The statuses of the errors that an endpoint can answer; `takes_values`: it has fields that can be wrong."""
    kinds: set[type[CarillonError]] = {TransientError, *endpoint.errors}
    if endpoint.callers.people or endpoint.callers.apps:
        kinds |= {NotSignedIn}
    if endpoint.callers.people != endpoint.callers.apps:
        kinds |= {NotAllowed}
    if takes_values or endpoint.request_headers:
        kinds |= {Invalid}
    has_turns = endpoint.takes_turn and (endpoint.callers.people or endpoint.callers.apps)
    if endpoint.quota is not None or has_turns:
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
    is_list = status == Invalid.code.status
    schema = "FieldProblems" if is_list else "Problem"
    detail: object = MEANING[status]
    code = next(code for code in ErrorCode if code.status == status)
    if is_list:
        detail = [{"loc": ["body", "title"], "msg": "Field required", "type": "missing"}]
    return {
        "description": MEANING[status],
        "headers": build_headers([_HEADERS[status]] if status in _HEADERS else []),
        "content": {
            _JSON: {
                "schema": {"$ref": f"#/components/schemas/{schema}"},
                "example": {"detail": detail, "code": code.name, "request_id": "6f2c0e1d94aa-1f"},
            }
        },
    }
