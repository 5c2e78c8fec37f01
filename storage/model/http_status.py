"""Which HTTP status each of our errors has, and when its caller may come back (contract §0, Errors).

The one table of every HTTP process: ingest's API and the gateway's handshake make their responses of it. What a
server says before any application is asked stands in `ops/http/refusals.py`.
"""

from math import ceil

from storage.model.errors import (
    CarillonError,
    InConflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OverLimit,
    TooLarge,
    TooSlow,
    TransientError,
)

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
# What a status means when there is nothing more exact to say.
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
_DEFAULT_HINT_SECONDS = 1.0
_SPREAD_SECONDS = 4


def status_of(kind: type[CarillonError]) -> int | None:
    """The status of this class of errors, its own or its nearest base's.

    None if the table has neither: then the fault is ours, the status is 500, and the error's `detail` is not for the
    caller.
    """
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), None)


def retry_after_seconds(error: TransientError, *, spread: float) -> int:
    """The value of `Retry-After`: the error's own hint (one second if it has none), and up to four seconds more.

    `spread`, from 0 to 1, says how much more. Callers that failed together would come back together without it.
    """
    hint = error.retry_after_seconds
    return max(
        1, ceil((_DEFAULT_HINT_SECONDS if hint is None else hint) + _SPREAD_SECONDS * spread)
    )
