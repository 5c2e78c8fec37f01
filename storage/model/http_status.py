"""What an HTTP status means in general, and when its caller may come back (contract §0, Errors).

Which status an error has stands with its code, in `error_codes.py`.
"""

from math import ceil

from storage.model.errors import TransientError

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


def retry_after_seconds(error: TransientError, *, spread: float) -> int:
    """The value of `Retry-After`: the error's own hint (one second if it has none), and up to four seconds more.

    `spread`, from 0 to 1, says how much more. Callers that failed together would come back together without it.
    """
    hint = error.retry_after_seconds
    return max(
        1, ceil((_DEFAULT_HINT_SECONDS if hint is None else hint) + _SPREAD_SECONDS * spread)
    )
