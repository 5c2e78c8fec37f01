"""The bus as one gateway has read it: no event twice, no loss unnoticed, the recent past at hand.

Pure. The feed hands every batch it reads to a `BusView`. A client resumes from memory, without a
read of the bus and without an await, so nothing can come between what it is replayed and what it
gets live (contract §5, Resume).
"""

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from push_gateway.backlog import ReplayBuffer
from push_gateway.frames import group_recipients
from storage.model.event import Event, MessageRecalled, NewMessage
from storage.valkey.bus import BEGINNING, Batch, Entry, Position, Survey
from storage.valkey.event_json import SHARDS, decoded, shard_of

# Generation, position in the shard's stream, and whose it is: a person, or s and the shard whose people share it.
POS = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})-([0-9]{1,15})-(s?)([0-9]{1,16})", re.ASCII)
END = Position(2**64 - 1, 2**64 - 1)  # after every entry that a stream can hold
REMEMBERED_KEYS = 10_000  # a shard's latest events, recognised when they are published again
REMEMBERED_RECALLS = 10_000  # a shard's latest recalls: what comes after its recall is dropped
FEED_LAG_MS = 60_000  # a client may have been told more by a process that is this much ahead


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event and where it stands."""

    position: Position
    event: Event


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What a batch brought: events not seen before, and shards of which some may be missing."""

    new_entries: list[Entry]
    shards_with_gaps: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a client missed, in order (None: unknown); live events are those after `live_after`."""

    missed: list[PastEvent] | None
    live_after: Position


class BusView:
    """Everything a feed knows of the bus.

    `is_ready` once it has read what the bus held when it started, or has met it again after the bus was
    wiped or restarted; until then nobody is to be let in.
    """

    def __init__(self, *, backlog_bytes: int, kept_ms: int, limit: int) -> None:
        self._shards = [_Shard(backlog_bytes // SHARDS, kept_ms) for _ in range(SHARDS)]
        self.limit = limit  # entries a shard of the read that is received next
        self.generation = ""
        self.is_ready = False

    @property
    def positions(self) -> list[Position]:
        """After what each shard is to be read."""
        return [END if shard.is_skipping else shard.position for shard in self._shards]

    def format_position(self, user_id: int, position: Position | None = None) -> str:
        """A person's position as they see it; by default the one reached. Means nothing after a wipe."""
        ms, sequence = position or self._shards[shard_of(user_id)].position
        return f"{self.generation}-{ms}-{sequence}-{user_id}"

    def format_shared_position(self, shard: int, position: Position) -> str:
        """The position of an event for several people of a shard, who all get the same bytes."""
        return f"{self.generation}-{position}-s{shard}"

    def receive(self, batch: Batch) -> FeedUpdate:
        """Take in what a read or an audit brought.

        A new generation starts over: its first batch is set aside, and the bus is to be audited from
        `positions`. What it holds is not news. The first that this process meets is read from its
        beginning, for those who come from another. A later one (Valkey was restarted or wiped) is taken up
        at its end: every shard counts as lost then, so nobody here needs what stands before.
        """
        if batch.generation != self.generation:
            self._start_over(batch.generation)
            return FeedUpdate([])
        lost = frozenset(self._audit(batch.surveys, self._shares(batch)) if batch.surveys else ())
        fresh = [entry for entry in batch.entries if self._shards[entry.shard].take(entry)]
        if self.is_ready:
            return FeedUpdate(fresh, lost)
        self.is_ready = batch.surveys is not None and not self.may_have_more(batch)
        return FeedUpdate([], frozenset(range(SHARDS)) if self.is_ready else frozenset())

    def may_have_more(self, batch: Batch) -> bool:
        """Whether more may be waiting than this batch could carry."""
        if len(batch.entries) < self.limit:
            return False
        return any(len(share) >= self.limit for share in self._shares(batch))

    def resume(self, user_id: int, pos: str) -> Resumption:
        """Where a client whose last frame was at `pos` goes on; any text will do for `pos`.

        The position of another person means nothing (contract §5). One that several share is that of whoever was
        told that event.
        """
        shard = self._shards[shard_of(user_id)]
        since = self._since(pos, user_id)
        if since is None or not shard.can_replay_after(since):
            return Resumption(None, shard.position)
        missed = [
            PastEvent(past.position, event)
            for past in shard.backlog.after(user_id, since)
            if (event := decoded(past.payload)) is not None
        ]
        return Resumption(_without_recalled(missed), max(since, shard.position))

    def _since(self, pos: str, user_id: int) -> Position | None:
        found = POS.fullmatch(pos)
        if found is None or found[1] != self.generation:
            return None
        since, owner = Position(int(found[2]), int(found[3])), int(found[5])
        if not found[4]:
            return since if owner == user_id else None
        is_theirs = owner == shard_of(user_id) and self._shards[owner].may_concern(user_id, since)
        return since if is_theirs else None

    def _start_over(self, generation: str) -> None:
        is_first = not self.generation
        self.generation, self.is_ready = generation, False
        for shard in self._shards:
            shard.start_over(is_skipping=not is_first)

    def _shares(self, batch: Batch) -> list[list[Entry]]:
        shares: list[list[Entry]] = [[] for _ in range(SHARDS)]
        for entry in batch.entries:
            shares[entry.shard].append(entry)
        return shares

    def _audit(self, surveys: Sequence[Survey], shares: list[list[Entry]]) -> list[int]:
        return [
            number
            for number, shard in enumerate(self._shards)
            if shard.audit(surveys[number], shares[number], limit=self.limit)
        ]


class _Shard:
    """One shard's stream as read so far. Repeats are known by key, across generations too."""

    def __init__(self, budget: int, kept_ms: int) -> None:
        self.backlog = ReplayBuffer(budget=budget)
        self._kept_ms = kept_ms
        self._seen_keys: dict[str, Position] = {}
        self._recalled_keys: dict[str, None] = {}
        self.start_over(is_skipping=False)

    def start_over(self, *, is_skipping: bool) -> None:
        """Nothing is read yet; if `is_skipping`, what there is when it is audited will not be."""
        self.is_skipping = is_skipping
        self.position = BEGINNING
        self._gap_before: Position | None = (
            None  # who was told up to here may have missed what was lost before it
        )
        self._count: int | None = None  # the number, in its stream, of the entry to come
        self.backlog.start(BEGINNING)

    def can_replay_after(self, since: Position) -> bool:
        """Whether everything after `since` is in the backlog, or still to come, and nothing before it was missed."""
        if self._gap_before is not None and since <= self._gap_before:
            return False
        return self.backlog.floor <= since and since.ms <= self.position.ms + FEED_LAG_MS

    def may_concern(self, user_id: int, position: Position) -> bool:
        """Whether the event there is for this person; True where this process cannot know."""
        is_known = self.backlog.floor < position <= self.position
        return not is_known or self.backlog.has(user_id, position)

    def audit(self, survey: Survey, entries: list[Entry], *, limit: int) -> bool:
        """Compare what was read so far with what there was, before `entries` are taken.

        True if something between the two was missed.
        """
        if self.is_skipping:
            self.is_skipping, self.position = False, survey.last
        caught_up = len(entries) < limit
        expected = survey.dropped if self._count is None else self._count
        first = survey.added - len(entries) if caught_up else max(expected, survey.dropped)
        if self._count is None or first != expected:
            complete = first == 0  # nothing of this stream was ever dropped
            oldest = entries[0].position if entries else survey.last
            self.backlog.start(BEGINNING if complete else oldest)
        if self._count is not None and first != expected:
            # Who is connected is told now; who left since, with a position behind the gap, when they come back.
            self._gap_before = self.position
        self._count = first
        return first != expected

    def take(self, entry: Entry) -> bool:
        """Go on to this entry; False if its event is not to be told.

        It was seen before, or cannot be read, or is a message whose recall came first: its publisher was
        held up between reading the record and writing to the bus.
        """
        self.position = entry.position
        if self._count is not None:
            self._count += 1
        event = entry.event
        if event is None or not self._is_new(key := event.key, entry.position):
            return False
        if isinstance(event, MessageRecalled):
            self._remember_recall(event)
        elif key in self._recalled_keys:
            return False
        self.backlog.add(entry.position, entry.payload, user_ids=_people(event))
        self.backlog.drop_before(entry.position.ms - self._kept_ms)
        return True

    def _remember_recall(self, recall: MessageRecalled) -> None:
        self._recalled_keys[recall.taken_back] = None
        if len(self._recalled_keys) > REMEMBERED_RECALLS:
            del self._recalled_keys[next(iter(self._recalled_keys))]

    def _is_new(self, key: str, position: Position) -> bool:
        # A restarted Valkey may hold the same entry, at the same position: that is no repeat.
        if self._seen_keys.setdefault(key, position) != position:
            return False
        if len(self._seen_keys) > REMEMBERED_KEYS:
            del self._seen_keys[next(iter(self._seen_keys))]
        return True


def _without_recalled(missed: list[PastEvent]) -> list[PastEvent]:
    """What a client missed, without the messages that were taken back meanwhile, and without their recalls.

    A recall of a message from before stays: the client has it on its screen.
    """
    messages = {one.event.key for one in missed if isinstance(one.event, NewMessage)}
    recalls = {one.event.taken_back for one in missed if isinstance(one.event, MessageRecalled)}
    gone = messages & recalls
    return [one for one in missed if _message_key(one.event) not in gone] if gone else missed


def _message_key(event: Event) -> str:
    """Which message it tells of or takes back; for others any name that is no message's."""
    return event.taken_back if isinstance(event, MessageRecalled) else event.key


def _people(event: Event) -> Sequence[int]:
    return array(
        "q", sorted(user_id for _, user_ids in group_recipients(event) for user_id in user_ids)
    )
