"""The recent entries of one shard, in memory, for clients that resume. Pure; used by `shard_view.py` only."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from storage.valkey.bus_reader import BEGINNING, Position

WIDE = 64  # an entry for more people than this is searched for a person, not indexed by person
ENTRY_BYTES = 400  # what keeping an entry costs beside its payload, about


@dataclass(frozen=True, slots=True)
class BufferedEntry:
    """One entry of the bus that is kept, as it came; `user_ids` (who it is for) ascending."""

    position: Position
    payload: bytes
    user_ids: Sequence[int]

    @property
    def size(self) -> int:
        """Bytes of memory it takes, about."""
        return len(self.payload) + 8 * len(self.user_ids) + ENTRY_BYTES


class ReplayBuffer:
    """Every entry after `complete_after`, within a budget of bytes; over it the oldest entries go."""

    def __init__(self, *, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self.reset(BEGINNING)

    def reset(self, complete_after: Position) -> None:
        """Forget everything; from here on the buffer is complete after `complete_after`."""
        self.complete_after = complete_after
        self._bytes = 0
        self._entries: deque[BufferedEntry] = deque()
        self._wide: deque[BufferedEntry] = deque()
        self._by_user: dict[int, deque[BufferedEntry]] = {}

    def add(self, position: Position, payload: bytes, *, user_ids: Sequence[int]) -> None:
        """Keep an entry. Its position must be higher than that of every other; `user_ids` ascending."""
        entry = BufferedEntry(position, payload, user_ids)
        self._entries.append(entry)
        self._bytes += entry.size
        if len(user_ids) > WIDE:
            self._wide.append(entry)
        else:
            for user_id in user_ids:
                self._by_user.setdefault(user_id, deque()).append(entry)
        while self._bytes > self._budget_bytes:
            self._drop_oldest()

    def drop_before(self, ms: int) -> None:
        """Let go of what is older than this instant, in Unix milliseconds of Valkey's clock."""
        while self._entries and self._entries[0].position.ms < ms:
            self._drop_oldest()

    def find_after(self, user_id: int, position: Position) -> list[BufferedEntry]:
        """The entries for this person after `position`, in order.

        Complete only if `position` is not before `complete_after`.
        """
        found = [entry for entry in self._by_user.get(user_id, ()) if entry.position > position]
        found += (
            entry for entry in self._wide if entry.position > position and _is_for(entry, user_id)
        )
        return sorted(found, key=attrgetter("position"))

    def has_entry(self, user_id: int, position: Position) -> bool:
        """Whether the entry at exactly this position is kept, and is for this person."""
        if any(entry.position == position for entry in self._by_user.get(user_id, ())):
            return True
        return any(entry.position == position and _is_for(entry, user_id) for entry in self._wide)

    def _drop_oldest(self) -> None:
        oldest = self._entries.popleft()
        self._bytes -= oldest.size
        self.complete_after = oldest.position
        if len(oldest.user_ids) > WIDE:
            self._wide.popleft()
            return
        for user_id in oldest.user_ids:
            theirs = self._by_user[user_id]
            theirs.popleft()
            if not theirs:
                del self._by_user[user_id]


def _is_for(entry: BufferedEntry, user_id: int) -> bool:
    index = bisect_right(entry.user_ids, user_id)
    return index > 0 and entry.user_ids[index - 1] == user_id
