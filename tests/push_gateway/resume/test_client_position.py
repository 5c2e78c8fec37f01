"""The text of positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_gateway.resume.client_position import (
    ClientPosition,
    format_position,
    format_shared_position,
    parse_position,
)
from storage.valkey.bus_reader import Position

pytestmark = pytest.mark.pure

generations = st.text("0123456789abcdef", min_size=8, max_size=8)
positions = st.builds(Position, st.integers(0, 10**15 - 1), st.integers(0, 10**15 - 1))


@given(generations, positions, st.integers(0, 10**16 - 1))
def test_a_position_is_read_as_it_was_written(
    generation: str, position: Position, owner: int
) -> None:
    """What a frame carries as `pos` says the same again when a client sends it as `since`."""
    own = parse_position(format_position(generation, position, user_id=owner))
    assert own == ClientPosition(generation, position, user_id=owner, shard=None)
    shared = parse_position(format_shared_position(generation, position, shard=owner))
    assert shared == ClientPosition(generation, position, user_id=None, shard=owner)


@given(st.text())
def test_any_other_text_is_no_position(text: str) -> None:
    """Text that was not written as a position is None, and never an error."""
    found = parse_position(text)
    assert found is None or text.startswith(found.generation)
