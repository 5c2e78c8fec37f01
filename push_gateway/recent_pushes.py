"""To how many sockets this process wrote each of the latest messages, for operators who look one up. Pure.

It is memory and no record: what is older, or was written by a process that has ended, is not known any more.
"""

from dataclasses import dataclass

# About as many as the bus keeps of a shard; some megabytes.
REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class RecentPush:
    """`sockets` that a message was written to, first for the event that was published at `at_ms` (Unix time, Valkey's clock)."""

    sockets: int
    at_ms: int


class RecentPushes:
    """The latest messages that were written to a socket here. What was replayed to a client that resumed does not count.

    `since_ms`: a message that was published later, and is not remembered, was written to no socket of this process.
    """

    def __init__(self, *, since_ms: int, length: int = REMEMBERED) -> None:
        self.since_ms = since_ms
        self._length = length
        self._pushes: dict[int, RecentPush] = {}

    def note(self, message_id: int, sockets: int, *, at_ms: int) -> None:
        """A message was written to `sockets` more; the parts of a broadcast add up."""
        known = self._pushes.get(message_id)
        if known is not None:
            self._pushes[message_id] = RecentPush(known.sockets + sockets, known.at_ms)
            return
        self._pushes[message_id] = RecentPush(sockets, at_ms)
        if len(self._pushes) > self._length:
            oldest = next(iter(self._pushes))
            self.since_ms = max(self.since_ms, self._pushes.pop(oldest).at_ms)

    def find(self, message_id: int) -> RecentPush | None:
        """What is remembered of a message; None if it was written to no socket since `since_ms`, or before that."""
        return self._pushes.get(message_id)
