"""Who is connected here. Pure: it neither awaits nor touches a socket."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from storage.event_json import SHARDS, shard_of


class Member(Protocol):
    """Anything that belongs to one person."""

    @property
    def user_id(self) -> int:
        """The person."""


C = TypeVar("C", bound=Member)


class Hub(Generic[C]):
    """The connections of every person, by the shard that carries their events."""

    def __init__(self, *, per_user: int) -> None:
        self._per_user = per_user
        self._shards: list[dict[int, list[C]]] = [{} for _ in range(SHARDS)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[C]:
        """Every connection, each person's oldest first."""
        for shard in range(SHARDS):
            yield from self.of_shard(shard)

    def add(self, connection: C) -> C | None:
        """Let a connection in; returns the person's oldest, now out, if they had their number."""
        theirs = self._shards[shard_of(connection.user_id)].setdefault(connection.user_id, [])
        oldest = theirs.pop(0) if len(theirs) >= self._per_user else None
        theirs.append(connection)
        self._count += oldest is None
        return oldest

    def remove(self, connection: C) -> None:
        """Forget a connection; nothing happens if it is not here (any more)."""
        users = self._shards[shard_of(connection.user_id)]
        theirs = users.get(connection.user_id, [])
        if connection in theirs:
            theirs.remove(connection)
            self._count -= 1
            if not theirs:
                del users[connection.user_id]

    def of_shard(self, shard: int) -> Iterator[C]:
        """Every connection whose person is on this shard."""
        for connections in self._shards[shard].values():
            yield from connections

    def among(self, shard: int, user_ids: tuple[int, ...]) -> list[C]:
        """The connections of these people, who are all on this shard."""
        users = self._shards[shard]
        if not users:
            return []
        return [connection for user_id in user_ids for connection in users.get(user_id, ())]
