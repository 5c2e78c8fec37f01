"""What a gateway remembers of its pushes: enough to answer an operator, and never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_gateway.recent_pushes import RecentPush, RecentPushes

pytestmark = pytest.mark.pure


def test_parts_of_a_broadcast_add_up() -> None:
    """A message that is pushed in parts has the sum of their sockets, and the instant of the first part."""
    recent = RecentPushes(since_ms=0)
    recent.note(1, 10, at_ms=100)
    recent.note(1, 5, at_ms=200)
    assert recent.find(1) == RecentPush(15, 100)
    assert recent.find(2) is None


@given(st.lists(st.integers(1, 12), max_size=60), st.integers(1, 6))
def test_what_is_forgotten_is_older_than_the_memory(pushes: list[int], length: int) -> None:
    """It remembers so many messages at most, and a message that it has forgotten was published at `since_ms` or before."""
    recent = RecentPushes(since_ms=0, length=length)
    first_at: dict[int, int] = {}
    for at_ms, id in enumerate(pushes, start=1):
        if recent.find(id) is None:
            first_at[id] = at_ms
        recent.note(id, 1, at_ms=at_ms)
    remembered = {id for id in first_at if recent.find(id) is not None}
    assert len(remembered) <= length
    assert all(first_at[id] <= recent.since_ms for id in set(first_at) - remembered)
    assert all(first_at[id] > recent.since_ms for id in remembered)
