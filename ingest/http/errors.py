"""Errors as HTTP answers: the one table of error → status, and the shape `{"detail": …}` (contract §0).

Nothing else in ingest knows a status of failure. An error that is not in the table is ours: it is
answered 500 with one sentence that says nothing, and logged where it was caught.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from math import ceil

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ingest.http.response import Header, Response
from storage.model.errors import (
    CallerError,
    CarillonError,
    ClockSkew,
    FieldProblem,
    InConflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OverLimit,
    TooLarge,
    TransientError,
)


class TooSlow(CallerError):
    """The body did not arrive in time."""


STATUS: dict[type[CarillonError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    TooSlow: 408,
    InConflict: 409,
    TooLarge: 413,
    Invalid: 422,
    OverLimit: 429,
    TransientError: 503,
}
MEANING = {
    401: "Not signed in, or the token or signature is invalid or expired.",
    403: "The caller may not do this.",
    404: "No such thing, or not the caller's.",
    405: "This path does not take this method.",
    408: "The body did not arrive in time.",
    409: "The thing is in a state that does not allow this.",
    413: "The body, or a field of it, is too long.",
    422: "A field of the body, path, query or headers is wrong.",
    429: "Over a limit; try again after Retry-After seconds.",
    500: "Something went wrong here.",
    503: "Cannot be taken now; try again after Retry-After seconds.",
}
# What the authentication schemes are called (RFC 9110 §11.6.1); `Bearer` is RFC 6750.
CHALLENGE = 'Bearer realm="carillon", Carillon-App realm="carillon"'
_INTERNAL = Response({"detail": MEANING[500]}, status=500)


def answer(error: CarillonError, *, chance: Callable[[], float] = random.random) -> Response:
    """The answer to an error of ours; `chance` (0 to 1) spreads the retries it causes."""
    status = status_of(type(error))
    if status is None:
        return _INTERNAL
    content: dict[str, object] = {"detail": detail(error)}
    if isinstance(error, ClockSkew):
        content["server_time"] = error.server_time
    return Response(content, status=status, headers=_headers(error, chance()))


def internal() -> Response:
    """The answer to what nobody foresaw."""
    return _INTERNAL


def of_starlette(error: HTTPException) -> Response:
    """The answer to what a part of Starlette's raised."""
    sentence = MEANING.get(error.status_code, error.detail)
    headers = list((error.headers or {}).items())
    return Response({"detail": sentence}, status=error.status_code, headers=headers)


def status_of(kind: type[CarillonError]) -> int | None:
    """The status of an error class, its own or its nearest base's; None for one that is ours."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), None)


def detail(error: CarillonError) -> str | list[dict[str, object]]:
    """What `detail` holds: a sentence, or for fields a list of loc, msg and type."""
    if not isinstance(error, Invalid):
        return error.detail
    return [{"loc": list(p.loc), "msg": p.msg, "type": p.type} for p in error.problems]


def invalid_fields(
    error: ValidationError, *, where: Callable[[str], str], within: Sequence[str | int] = ()
) -> Invalid:
    """Pydantic's findings as ours: `where` says of a field whether it is in the body, path or query."""
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


async def no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer when no route matches."""
    if scope["type"] == "http":
        await Response({"detail": MEANING[404]}, status=404)(scope, receive, send)
    else:
        await WebSocketClose()(scope, receive, send)


def no_such_method(allowed: Iterable[str]) -> Response:
    """The answer to a method that a path does not take (RFC 9110 §15.5.6)."""
    headers = [("Allow", ", ".join(sorted(allowed)))]
    return Response({"detail": MEANING[405]}, status=405, headers=headers)


def _headers(error: CarillonError, chance: float) -> tuple[Header, ...]:
    if isinstance(error, NotSignedIn):
        return (("WWW-Authenticate", CHALLENGE),)
    if isinstance(error, TooLarge | TooSlow):
        # The rest of the body is not read: the connection cannot be used again.
        return (("Connection", "close"),)
    if isinstance(error, TransientError):
        hint = 1.0 if error.retry_after_seconds is None else error.retry_after_seconds
        # Up to four seconds later than the hint, or everyone who failed together returns together.
        return (("Retry-After", str(max(1, ceil(hint + 4 * chance)))),)
    return ()
