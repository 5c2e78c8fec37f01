"""Errors as HTTP responses: `{"detail": …, "code": …, "request_id": …}` (contract §0, Errors).

Codes and statuses are those of `storage/model/error_codes.py`. An error whose code is INTERNAL is a fault of ours: the
answer is one sentence that says nothing of it, and the code that caught the error logs it.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ingest.http.response import Header, Response
from storage.model.error_codes import ErrorCode
from storage.model.errors import (
    CarillonError,
    ClockSkew,
    FieldProblem,
    Invalid,
    NotSignedIn,
    TooLarge,
    TooSlow,
    TransientError,
)
from storage.model.http_status import retry_after_seconds
from storage.model.origin import Origin
from storage.process.refusal_log import REFUSALS

# The authentication schemes (RFC 9110 §11.6.1); `Bearer` is RFC 6750's.
CHALLENGE = 'Bearer realm="carillon", Carillon-App realm="carillon"'
# What Starlette's own parts raise or write, by its status. Its 400 is a `Range` that cannot be read, which is as good
# as one that cannot be satisfied (RFC 9110 §15.5.17).
_OF_STARLETTE = {
    400: ErrorCode.RANGE_NOT_SATISFIABLE,
    404: ErrorCode.UNKNOWN_PATH,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    416: ErrorCode.RANGE_NOT_SATISFIABLE,
}
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The response of one error, an ASGI application. `more` is what stands in the body beside the usual."""

    code: ErrorCode
    detail: str | list[dict[str, object]]
    headers: Sequence[Header] = ()
    more: Mapping[str, object] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; its `request_id` is that of the request."""
        request_id = Origin.parse(scope.get("origin")).request_id
        usual = {"detail": self.detail, "code": self.code.name, "request_id": request_id}
        response = Response({**usual, **self.more}, status=self.code.status, headers=self.headers)
        await response(scope, receive, send)


def respond_to_error(
    error: CarillonError, *, chance: Callable[[], float] = random.random
) -> ErrorResponse:
    """The response to an error of ours; `chance` gives numbers from 0 to 1, which spread the retries.

    Why somebody is not signed in is logged: the response does not say it.
    """
    if error.code is ErrorCode.INTERNAL:
        return respond_to_unforeseen()
    if isinstance(error, NotSignedIn):
        REFUSALS.log(error)
    more = {"server_time": error.server_time} if isinstance(error, ClockSkew) else {}
    return ErrorResponse(error.code, detail_of(error), _error_headers(error, chance()), more)


def respond_to_unforeseen() -> ErrorResponse:
    """The response to an exception that nobody foresaw: 500, with a sentence that says nothing of it."""
    return ErrorResponse(ErrorCode.INTERNAL, ErrorCode.INTERNAL.meaning)


def respond_to_http_exception(error: HTTPException) -> ErrorResponse:
    """The response to an HTTPException, which Starlette's own parts raise."""
    code = _OF_STARLETTE.get(error.status_code, ErrorCode.INTERNAL)
    return ErrorResponse(code, code.meaning, list((error.headers or {}).items()))


def check_is_no_text(start: Message) -> None:
    """Raise an HTTPException in place of an error that Starlette's own parts write as plain text.

    `start` begins a response. Files answer a `Range` that they do not have in this way.
    """
    if start["status"] < _FIRST_ERROR:
        return
    headers = dict(start.get("headers", ()))
    if headers.get(b"content-type", b"").startswith(b"text/plain"):
        size = headers.get(b"content-range")
        kept = None if size is None else {"Content-Range": size.decode("latin-1")}
        raise HTTPException(start["status"], headers=kept)


def detail_of(error: CarillonError) -> str | list[dict[str, object]]:
    """What the response says under `detail`: a sentence, or for wrong fields a list of `loc`, `msg` and `type`."""
    if not isinstance(error, Invalid):
        return error.detail
    return [{"loc": list(p.loc), "msg": p.msg, "type": p.type} for p in error.problems]


def translate_validation_error(
    error: ValidationError, *, where: Callable[[str], str], within: Sequence[str | int] = ()
) -> Invalid:
    """Pydantic's findings as our error.

    `where` says of the name of a field whether it is in the body, path or query; `within` is what leads to the value
    that was validated.
    """
    return Invalid(
        *(
            FieldProblem(
                (where(str(found["loc"][0] if found["loc"] else "")), *within, *found["loc"]),
                found["msg"],
                found["type"],
            )
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        )
    )


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond that no route matches: 404, or close a WebSocket."""
    if scope["type"] == "http":
        response = ErrorResponse(ErrorCode.UNKNOWN_PATH, ErrorCode.UNKNOWN_PATH.meaning)
        await response(scope, receive, send)
    else:
        await WebSocketClose()(scope, receive, send)


def method_not_allowed(allowed: Iterable[str]) -> ErrorResponse:
    """The response to a method that a path does not take, with those that it takes (RFC 9110 §15.5.6)."""
    code = ErrorCode.METHOD_NOT_ALLOWED
    return ErrorResponse(code, code.meaning, [("Allow", ", ".join(sorted(allowed)))])


def _error_headers(error: CarillonError, chance: float) -> tuple[Header, ...]:
    if isinstance(error, NotSignedIn):
        return (("WWW-Authenticate", CHALLENGE),)
    if isinstance(error, TooLarge | TooSlow):
        # The rest of the body is not read: the connection cannot be used again.
        return (("Connection", "close"),)
    if isinstance(error, TransientError):
        return (("Retry-After", str(retry_after_seconds(error, spread=chance))),)
    return ()
