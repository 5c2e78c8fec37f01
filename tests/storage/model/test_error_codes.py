"""The table of error codes: an error has the code that it is given, of its own status."""

import pytest

from storage.model.error_codes import ErrorCode
from storage.model.errors import (
    CarillonError,
    ClockSkew,
    NotFound,
    NotSignedIn,
    OverLimit,
    PermanentError,
    TokenExpired,
    TransientError,
    invalid,
)


def test_a_class_has_a_code_for_errors_that_need_no_more_exact_one() -> None:
    """An expired token, a clock that is off, a limit and what is away have codes without being given one."""
    assert TokenExpired("x").code is ErrorCode.TOKEN_EXPIRED
    assert ClockSkew("x", server_time=1).code is ErrorCode.CLOCK_SKEW
    assert OverLimit("x").code is ErrorCode.RATE_LIMITED
    assert TransientError("x").code is ErrorCode.UNAVAILABLE


def test_an_error_has_the_code_that_it_was_given() -> None:
    """A more exact code takes the place of the class's, in this error only."""
    assert NotFound("x", code=ErrorCode.UNKNOWN_APP).code is ErrorCode.UNKNOWN_APP
    assert invalid("key", "x", code=ErrorCode.KEY_REUSED).code is ErrorCode.KEY_REUSED
    assert NotFound("x").code is ErrorCode.NOT_FOUND


def test_a_code_of_another_status_is_a_mistake_in_our_code() -> None:
    """An error is not answered with a status that its class does not have."""
    with pytest.raises(ValueError, match="UNKNOWN_APP"):
        NotSignedIn("x", code=ErrorCode.UNKNOWN_APP)


def test_faults_of_ours_are_internal() -> None:
    """What only a person can mend has the code that hides its text."""
    assert PermanentError("x").code is ErrorCode.INTERNAL
    assert CarillonError("x").code is ErrorCode.INTERNAL


def test_why_somebody_is_not_signed_in_is_no_part_of_the_sentence() -> None:
    """The reason stands beside the sentence that the caller gets; without one the sentence is the reason."""
    error = NotSignedIn(reason="There is no app 'x'.")
    assert error.detail == ErrorCode.NOT_SIGNED_IN.meaning
    assert error.reason == "There is no app 'x'."
    assert NotSignedIn("A header is missing.").reason == "A header is missing."
