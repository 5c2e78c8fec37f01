"""The marked rows of the fault matrix, a few seconds each, on one stack of their own."""

from collections.abc import Iterator

import pytest

from tests.faults.environment import FaultEnvironment, start_environment
from tests.faults.rows import ROWS, Row
from tests.faults.run import run_row

pytestmark = pytest.mark.timeout(180)

MARKED = [row for row in ROWS if row.is_marked]


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultEnvironment]:
    """The environment of all rows here; each row mends what it broke."""
    with start_environment(seed=1, is_short=True) as made:
        yield made


@pytest.mark.parametrize("row", MARKED, ids=lambda row: f"{row.number}: {row.title}")
def test_nothing_is_lost_doubled_or_miscounted(row: Row, shared: FaultEnvironment) -> None:
    """Under this fault every send that got 2xx is in the histories once, and every counter is right (contract §2)."""
    result = run_row(row, shared)
    assert not result.failures, result.line
