"""Batches are split into requests that the server takes, and nothing of them is lost."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carillon_client.calls.batch import split

pytestmark = pytest.mark.quick


# Three entries that fill the request to its last byte.
@example(sizes=[1, 1, 1], most_entries=3, most_bytes=26)
@given(
    sizes=st.lists(st.integers(1, 80), max_size=60),
    most_entries=st.integers(1, 12),
    most_bytes=st.integers(20, 300),
)
def test_every_entry_is_in_one_request_in_order(
    sizes: list[int], most_entries: int, most_bytes: int
) -> None:
    """Chunks put together are the entries in their order; each keeps both limits, or is one entry alone; none is wasted."""
    entries = [json.dumps("x" * size).encode() for size in sizes]
    chunks = [*split(iter(entries), most_entries=most_entries, most_bytes=most_bytes)]
    assert [entry for chunk in chunks for entry in chunk.entries] == entries
    assert [chunk.first for chunk in chunks] == [
        sum(len(earlier.entries) for earlier in chunks[:place]) for place in range(len(chunks))
    ]
    for chunk in chunks:
        body = chunk.make_request("k").body or b""
        assert json.loads(body) == {"messages": [json.loads(one) for one in chunk.entries]}
        assert len(chunk.entries) == 1 or len(body) <= most_bytes
        assert 1 <= len(chunk.entries) <= most_entries
    for earlier, later in pairwise(chunks):
        joined = len(earlier.make_request("k").body or b"") + 1 + len(later.entries[0])
        assert len(earlier.entries) == most_entries or joined > most_bytes


@given(count=st.integers(2, 9))
def test_halves_are_the_whole(count: int) -> None:
    """What is too long for a server is halved: both halves together are the chunk, and say where they begin."""
    [whole] = split(str(number).encode() for number in range(count))
    first, second = whole.halve()
    assert first.entries + second.entries == whole.entries
    assert second.first == len(first.entries)
    keys = {one.make_request("k").headers["Idempotency-Key"] for one in (whole, first, second)}
    assert len(keys) == 3
