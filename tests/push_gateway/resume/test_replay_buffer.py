"""The buffer of recent entries against the simplest model: a list of all entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_gateway.resume.replay_buffer import ENTRY_BYTES, WIDE, BufferedEntry, ReplayBuffer
from storage.valkey.bus_reader import BEGINNING, Position

pytestmark = pytest.mark.pure

WIDE_AUDIENCE = tuple(range(3, WIDE + 10))
audiences = st.sets(st.integers(1, 5), min_size=1).map(lambda ids: tuple(sorted(ids)))
steps = st.lists(audiences | st.just(WIDE_AUDIENCE), max_size=30)


@given(steps, st.integers(0, 20 * ENTRY_BYTES), st.integers(0, 30))
def test_the_buffer_is_the_end_of_a_list(
    story: list[tuple[int, ...]], budget_bytes: int, oldest_ms: int
) -> None:
    """The buffer holds every entry after `complete_after`, in order, and tells each person's; no more than its budget."""
    buffer = ReplayBuffer(budget_bytes=budget_bytes)
    everything = []
    for number, user_ids in enumerate(story, start=1):
        position = Position(number, 0)
        buffer.add(position, b"x" * number, user_ids=user_ids)
        everything.append((position, user_ids))
    buffer.drop_before(oldest_ms)
    kept = [(position, ids) for position, ids in everything if position > buffer.complete_after]
    for user_id in range(1, 7):
        theirs = [position for position, ids in kept if user_id in ids]
        found = buffer.find_after(user_id, buffer.complete_after)
        assert [entry.position for entry in found] == theirs
        for position, _ in everything:
            assert buffer.has_entry(user_id, position) == (position in theirs)
    assert sum(entry.size for entry in _find_all(buffer)) <= budget_bytes
    assert all(position.ms >= oldest_ms for position, _ in kept)


def test_nothing_is_dropped_while_there_is_room() -> None:
    """Within its budget, a buffer is complete from where it was reset."""
    buffer = ReplayBuffer(budget_bytes=10 * ENTRY_BYTES)
    for number in range(1, 6):
        buffer.add(Position(number, 0), b"", user_ids=(1,))
    assert buffer.complete_after == BEGINNING
    assert len(buffer.find_after(1, BEGINNING)) == 5


def _find_all(buffer: ReplayBuffer) -> list[BufferedEntry]:
    found = {
        entry.position: entry
        for user_id in (*range(1, 6), *WIDE_AUDIENCE)
        for entry in buffer.find_after(user_id, buffer.complete_after)
    }
    return list(found.values())
