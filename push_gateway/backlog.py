"""The recent past of one shard, in memory. Pure; `push_gateway/resume.py` fills and asks it."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from storage.valkey.bus import BEGINNING, Position

WIDE = 64  # an entry for more people than this is searched for a person, not indexed by person
ENTRY_BYTES = 400  # what keeping an entry costs beside its payload, about


@dataclass(frozen=True, slots=True)
class BufferedEntry:
    """One entry that is kept, as it came; `user_ids` ascending."""

    position: Position
    payload: bytes
    user_ids: Sequence[int]

    @property
    def cost(self) -> int:
        """Bytes it takes, about."""
        return len(self.payload) + 8 * len(self.user_ids) + ENTRY_BYTES


class ReplayBuffer:
    """Entries after `floor`, all of them, within a budget of bytes; over it the oldest go."""

    def __init__(self, *, budget: int) -> None:
        self._budget = budget
        self.start(BEGINNING)

    def start(self, floor: Position) -> None:
        """Forget everything; from here on it is complete after `floor`."""
        self.floor = floor
        self._cost = 0
        self._entries: deque[BufferedEntry] = deque()
        self._wide: deque[BufferedEntry] = deque()
        self._by_user: dict[int, deque[BufferedEntry]] = {}

    def add(self, position: Position, payload: bytes, *, user_ids: Sequence[int]) -> None:
        """Keep an entry that is newer than every other."""
        past = BufferedEntry(position, payload, user_ids)
        self._entries.append(past)
        self._cost += past.cost
        if len(user_ids) > WIDE:
            self._wide.append(past)
        else:
            for user_id in user_ids:
                self._by_user.setdefault(user_id, deque()).append(past)
        while self._cost > self._budget:
            self._drop_oldest()

    def drop_before(self, ms: int) -> None:
        """Let go of what is older than this, by Valkey's clock."""
        while self._entries and self._entries[0].position.ms < ms:
            self._drop_oldest()

    def after(self, user_id: int, position: Position) -> list[BufferedEntry]:
        """What concerns this person after `position` (not before `floor`), in order."""
        found = [past for past in self._by_user.get(user_id, ()) if past.position > position]
        found += (past for past in self._wide if past.position > position and _has(past, user_id))
        return sorted(found, key=attrgetter("position"))

    def has(self, user_id: int, position: Position) -> bool:
        """Whether the entry at exactly this position is kept, and concerns this person."""
        if any(past.position == position for past in self._by_user.get(user_id, ())):
            return True
        return any(past.position == position and _has(past, user_id) for past in self._wide)

    def _drop_oldest(self) -> None:
        past = self._entries.popleft()
        self._cost -= past.cost
        self.floor = past.position
        if len(past.user_ids) > WIDE:
            self._wide.popleft()
            return
        for user_id in past.user_ids:
            theirs = self._by_user[user_id]
            theirs.popleft()
            if not theirs:
                del self._by_user[user_id]


def _has(past: BufferedEntry, user_id: int) -> bool:
    at = bisect_right(past.user_ids, user_id)
    return at > 0 and past.user_ids[at - 1] == user_id
