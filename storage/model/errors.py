"""What can go wrong, in three families: CallerError, TransientError and PermanentError.

Any layer may raise them. Each has a code of the one table (`error_codes.py`), which has the HTTP status; the close
codes of sockets are in `close_codes.py`. A `detail` is a sentence for the person who called: never SQL, a secret or a
path. Only that of PermanentError is for operators instead.
"""

from dataclasses import dataclass

from storage.model.error_codes import ErrorCode


class CarillonError(Exception):
    """Base of every error of ours.

    `code` is what a program goes by: that of its class, or a more exact one of the same status. An error whose code is
    INTERNAL is a fault of ours: its `detail` is not for the caller.
    """

    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(self, detail: str, *, code: ErrorCode | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            if code.status != self.code.status:
                raise ValueError(f"{code.name} is no code of a {type(self).__name__}.")
            self.code = code


class CallerError(CarillonError):
    """The request can never work as it stands; the caller has to change it."""


class NotSignedIn(CallerError):
    """The request has no credentials, or they are invalid or expired.

    `reason` is the whole truth, for the log only: which app, person or key exists is nobody's business (contract §1).
    """

    code = ErrorCode.NOT_SIGNED_IN

    def __init__(
        self,
        detail: str = ErrorCode.NOT_SIGNED_IN.meaning,
        *,
        code: ErrorCode | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(detail, code=code)
        self.reason = reason or detail


class TokenExpired(NotSignedIn):
    """The token's signature is good, and its time is over: the caller needs a new one."""

    code = ErrorCode.TOKEN_EXPIRED


class ClockSkew(NotSignedIn):
    """The caller's clock differs too much from ours. `server_time` is our time, in Unix seconds."""

    code = ErrorCode.CLOCK_SKEW

    def __init__(self, detail: str, *, server_time: int) -> None:
        super().__init__(detail)
        self.server_time = server_time


class NotAllowed(CallerError):
    """The caller is known but may not do this."""

    code = ErrorCode.NOT_ALLOWED


class NotFound(CallerError):
    """There is no such thing, or the caller may not see it."""

    code = ErrorCode.NOT_FOUND


class InConflict(CallerError):
    """The thing is in a state that does not allow this."""

    code = ErrorCode.IN_CONFLICT


class TooLarge(CallerError):
    """The body, or a field of it, is over its limit."""

    code = ErrorCode.BODY_TOO_LARGE


class TooSlow(CallerError):
    """The body of a request did not arrive in time, or not whole."""

    code = ErrorCode.REQUEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field.

    `loc` leads to the field (`("body", "title")`), `msg` says what is wrong, `type` is a stable word.
    """

    loc: tuple[str | int, ...]
    msg: str
    type: str = "value_error"


class Invalid(CallerError):
    """One or more fields are wrong (contract §0, Errors: 422 with a list)."""

    code = ErrorCode.VALIDATION

    def __init__(self, *problems: FieldProblem, code: ErrorCode | None = None) -> None:
        super().__init__("; ".join(problem.msg for problem in problems), code=code)
        self.problems = problems


def invalid(field: str, msg: str, *, where: str = "body", code: ErrorCode | None = None) -> Invalid:
    """Make the `Invalid` of one field. `where` the field is: body, query, path or header."""
    return Invalid(FieldProblem((where, field), msg), code=code)


class InvalidSettings(CallerError):
    """An environment variable is missing or malformed; `detail` names it."""


class TransientError(CarillonError):
    """Nothing is wrong with the request: the same one will work later.

    `retry_after_seconds` is a hint for the caller; None: `http_status.py` chooses.
    """

    code = ErrorCode.UNAVAILABLE

    def __init__(
        self,
        detail: str,
        *,
        retry_after_seconds: float | None = None,
        code: ErrorCode | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class OverLimit(TransientError):
    """The caller has used up its share for now (contract §0, Errors: 429)."""

    code = ErrorCode.RATE_LIMITED


class PermanentError(CarillonError):
    """Repeating this cannot help; a person has to look at it.

    Its `detail` is for operators, not for callers. `is_about_data`: the values that were given are the reason. If not,
    it may be the place that they go to (a missing table or right), and others fail in the same way.
    """

    def __init__(self, detail: str, *, is_about_data: bool = True) -> None:
        super().__init__(detail)
        self.is_about_data = is_about_data


def describe_error(error: Exception) -> str:
    """The sentence that tells an operator of `error`.

    Of an error that is not ours it gives the class only, because its text may quote a message.
    """
    return error.detail if isinstance(error, CarillonError) else f"{type(error).__name__}."
