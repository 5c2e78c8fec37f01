"""Who is connected here. Pure: it neither awaits nor touches a socket."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Generic, Protocol, Self, TypeVar

from storage.valkey.event_json import SHARDS, shard_of


class Member(Protocol):
    """A connection as the hub sees it."""

    next_of_user: Self | None
    """The same person's next younger connection, while it is in a hub."""

    @property
    def user_id(self) -> int:
        """The person."""


C = TypeVar("C", bound=Member)


class Hub(Generic[C]):
    """The connections of every person, by the shard that carries their events.

    The connections of one person are a linked list, oldest first: nearly everyone has one connection, and a Python
    list would be one more object to look at for each of thousands of people, at every event
    (docs/decisions/0016-frames-to-the-kernel.md).
    """

    def __init__(self) -> None:
        self._shards: list[dict[int, C]] = [{} for _ in range(SHARDS)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[C]:
        """Every connection, each person's oldest first."""
        for shard in range(SHARDS):
            yield from self.find_by_shard(shard)

    def add(self, connection: C) -> None:
        """Take a connection in, as the youngest of its person."""
        self._link([*self.find_by_user(connection.user_id), connection])
        self._count += 1

    def remove(self, connection: C) -> None:
        """Forget a connection; does nothing if it is not in the hub."""
        theirs = self.find_by_user(connection.user_id)
        if connection not in theirs:
            return
        self._count -= 1
        if len(theirs) == 1:
            del self._shards[shard_of(connection.user_id)][connection.user_id]
        else:
            self._link([one for one in theirs if one is not connection])

    def find_by_user(self, user_id: int) -> list[C]:
        """A person's connections, oldest first."""
        return list(self.find_by_users(shard_of(user_id), (user_id,)))

    def find_by_shard(self, shard: int) -> Iterator[C]:
        """Every connection whose person is on this shard."""
        return self.find_by_users(shard, list(self._shards[shard]))

    def find_by_users(self, shard: int, user_ids: Iterable[int]) -> Iterator[C]:
        """The connections of these people, who are all on this shard."""
        find = self._shards[shard].get
        for user_id in user_ids:
            connection = find(user_id)
            while connection is not None:
                yield connection
                connection = connection.next_of_user

    def _link(self, theirs: list[C]) -> None:
        for one, after in zip_longest(theirs, theirs[1:]):
            one.next_of_user = after
        self._shards[shard_of(theirs[0].user_id)][theirs[0].user_id] = theirs[0]
