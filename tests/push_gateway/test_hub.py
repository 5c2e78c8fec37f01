"""The hub against the simplest model: a list of connections in order of arrival."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_gateway.hub import Hub
from storage.valkey.event_json import SHARDS, shard_of

pytestmark = pytest.mark.pure


@dataclass(eq=False)
class Socket:
    """A connection as the hub sees it."""

    user_id: int
    next_of_user: "Socket | None" = None


users = st.integers(1, 40)
steps = st.lists(
    st.tuples(st.just("add"), users) | st.tuples(st.just("remove"), st.integers(0, 99))
)


@given(steps)
def test_the_hub_is_a_list_of_connections(story: list[tuple[str, int]]) -> None:
    """However connections come and go, every question is answered as a plain list would."""
    hub: Hub[Socket] = Hub()
    model: list[Socket] = []
    for step, number in story:
        if step == "add":
            model.append(Socket(number))
            hub.add(model[-1])
            theirs = [socket for socket in model if socket.user_id == number]
            assert hub.find_by_user(number) == theirs
        elif model:
            gone = model[number % len(model)]
            model.remove(gone)
            hub.remove(gone)
            hub.remove(gone)  # harmless
    assert len(hub) == len(model)
    assert set(hub) == set(model)
    for shard in range(SHARDS):
        expected_here = {socket for socket in model if shard_of(socket.user_id) == shard}
        assert set(hub.find_by_shard(shard)) == expected_here
        asked = tuple(user_id for user_id in range(41) if shard_of(user_id) == shard)[:2]
        among = [socket for user in asked for socket in model if socket.user_id == user]
        assert list(hub.find_by_users(shard, asked)) == among
