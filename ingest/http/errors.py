"""Errors as HTTP responses: `{"detail": …}` with the status of `storage/model/http_status.py` (contract §0).

An error that is not in that table is a fault of ours: the answer is 500 with one sentence that says nothing, and
the code that caught the error logs it.
"""

import random
from collections.abc import Callable, Iterable, Sequence

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ingest.http.response import Header, Response
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
from storage.model.http_status import MEANING, retry_after_seconds, status_of

# The authentication schemes (RFC 9110 §11.6.1); `Bearer` is RFC 6750's.
CHALLENGE = 'Bearer realm="carillon", Carillon-App realm="carillon"'
_INTERNAL = Response({"detail": MEANING[500]}, status=500)


def respond_to_error(
    error: CarillonError, *, chance: Callable[[], float] = random.random
) -> Response:
    """The response to an error of ours; `chance` gives numbers from 0 to 1, which spread the retries."""
    status = status_of(type(error))
    if status is None:
        return _INTERNAL
    content: dict[str, object] = {"detail": detail_of(error)}
    if isinstance(error, ClockSkew):
        content["server_time"] = error.server_time
    return Response(content, status=status, headers=_error_headers(error, chance()))


def respond_to_unforeseen() -> Response:
    """The response to an exception that nobody foresaw: 500, with a sentence that says nothing of it."""
    return _INTERNAL


def respond_to_http_exception(error: HTTPException) -> Response:
    """The response to an HTTPException, which Starlette's own parts raise."""
    sentence = MEANING.get(error.status_code, error.detail)
    headers = list((error.headers or {}).items())
    return Response({"detail": sentence}, status=error.status_code, headers=headers)


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
        await Response({"detail": MEANING[404]}, status=404)(scope, receive, send)
    else:
        await WebSocketClose()(scope, receive, send)


def method_not_allowed(allowed: Iterable[str]) -> Response:
    """The response to a method that a path does not take, with those that it takes (RFC 9110 §15.5.6)."""
    headers = [("Allow", ", ".join(sorted(allowed)))]
    return Response({"detail": MEANING[405]}, status=405, headers=headers)


def _error_headers(error: CarillonError, chance: float) -> tuple[Header, ...]:
    if isinstance(error, NotSignedIn):
        return (("WWW-Authenticate", CHALLENGE),)
    if isinstance(error, TooLarge | TooSlow):
        # The rest of the body is not read: the connection cannot be used again.
        return (("Connection", "close"),)
    if isinstance(error, TransientError):
        return (("Retry-After", str(retry_after_seconds(error, spread=chance))),)
    return ()
