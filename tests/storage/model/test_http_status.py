"""What a status means, and when callers that failed together come back: spread."""

import pytest

from storage.model.error_codes import ErrorCode
from storage.model.errors import TransientError
from storage.model.http_status import MEANING, retry_after_seconds

# What is answered without an application, or by one route only, is in no general list of a route's errors.
_RARE = {400, 416, 426, 431}


def test_every_status_is_explained() -> None:
    """For each status that codes have there is a sentence of what it means in general."""
    assert {code.status for code in ErrorCode} - _RARE == set(MEANING)


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
