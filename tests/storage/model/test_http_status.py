"""The table of statuses: every error of ours has one or is ours, and callers that failed together come back spread."""

import pytest

from storage.model import errors
from storage.model.errors import (
    CallerError,
    CarillonError,
    InvalidSettings,
    OverLimit,
    PermanentError,
    TokenExpired,
    TransientError,
)
from storage.model.http_status import MEANING, STATUS, retry_after_seconds, status_of

# No request can raise these: the first is a family, the second ends a process before it listens.
NEVER_ANSWERED = {CallerError, InvalidSettings}


def kinds() -> set[type[CarillonError]]:
    """Every class of errors there is."""
    return {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, CarillonError)
    }


def test_every_error_of_a_caller_has_a_status() -> None:
    """Each error that is the caller's, or will pass, has a status of its own or of its base."""
    answered = {k for k in kinds() if issubclass(k, CallerError | TransientError)} - NEVER_ANSWERED
    assert {kind for kind in answered if status_of(kind) is None} == set()


def test_faults_of_ours_have_no_status() -> None:
    """An error that only a person can mend is in no row of the table, so that its text is never shown."""
    assert status_of(PermanentError) is None
    assert status_of(CarillonError) is None


def test_a_kind_has_the_status_of_its_nearest_base() -> None:
    """An expired token is 401 as its base is; a used-up limit is 429, although its base is 503."""
    assert status_of(TokenExpired) == 401
    assert status_of(OverLimit) == 429
    assert status_of(TransientError) == 503


def test_every_status_is_explained() -> None:
    """For each status in the table there is a sentence of what it means."""
    assert set(STATUS.values()) <= set(MEANING)


@pytest.mark.parametrize(
    ("hint", "spread", "seconds"),
    [(None, 0, 1), (None, 1, 5), (0, 0, 1), (0.2, 0, 1), (2, 0, 2), (2, 0.5, 4), (1200.5, 0, 1201)],
)
def test_retry_after_is_the_hint_and_up_to_four_seconds(
    hint: float | None, spread: float, seconds: int
) -> None:
    """`Retry-After` is whole seconds, one at least: the hint rounded up, and the spread beyond it."""
    error = TransientError("Later.", retry_after_seconds=hint)
    assert retry_after_seconds(error, spread=spread) == seconds
