"""The bus as one gateway has read it: no event twice, no loss unnoticed, the recent past at hand. Pure.

The feed hands every batch that it reads to a `BusView`. A client resumes from memory, without a read of the bus
and without an await, so nothing can come between what it is replayed and what it gets live
(docs/decisions/0015-positions-and-resume.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from push_gateway.resume.client_position import (
    format_place,
    format_position,
    format_shared_position,
    parse_position,
)
from push_gateway.resume.resumption import PastEvent, Resumption, leave_out_old
from push_gateway.resume.shard_view import ShardView
from storage.valkey.bus_reader import Batch, Entry, Position, Survey
from storage.valkey.event_json import SHARDS, decode_event, shard_of

END = Position(2**64 - 1, 2**64 - 1)  # after every entry that a stream can hold


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What a batch brought: entries whose events are to be pushed, in order, and shards of which some may be missing."""

    new_entries: list[Entry]
    shards_with_gaps: frozenset[int] = frozenset()
    is_verified: bool = False
    """Whether it comes from a survey: nothing is missing before the positions that were reached but what is told here."""


class BusView:
    """Everything that a gateway knows of the bus.

    `is_ready` once it has read what the bus held when it started, or has met it again after the bus was
    wiped or restarted; before that nobody is to be let in. `limit` is set by the feed before each read: the
    number of entries of a shard that the read brings at most.
    """

    def __init__(self, *, backlog_bytes: int, kept_ms: int, limit: int) -> None:
        budget_bytes = backlog_bytes // SHARDS
        self._shards = [
            ShardView(budget_bytes=budget_bytes, kept_ms=kept_ms) for _ in range(SHARDS)
        ]
        self.limit = limit
        self.generation = ""
        self.is_ready = False

    @property
    def positions(self) -> list[Position]:
        """For each shard, the position after which it is to be read."""
        return [END if shard.is_skipping else shard.position for shard in self._shards]

    def format_position(self, user_id: int, position: Position | None = None) -> str:
        """A person's `pos` at this position, by default at the one reached. It means nothing after a wipe."""
        if position is None:
            position = self._shards[shard_of(user_id)].position
        return format_position(self.generation, position, user_id=user_id)

    def format_place(self, shard: int) -> str:
        """The `pos` of everybody of a shard at the position reached, without the person's id, which comes last."""
        return format_place(self.generation, self._shards[shard].position)

    def format_shared_position(self, shard: int, position: Position) -> str:
        """The `pos` of an event for several people of a shard, who all get the same bytes."""
        return format_shared_position(self.generation, position, shard=shard)

    def receive(self, batch: Batch) -> FeedUpdate:
        """Take in what a read or a survey brought.

        A new generation starts over: its first batch is set aside, and the bus is to be surveyed from
        `positions`. What it holds is not news. The first generation that this process meets is read from its
        beginning, for clients who come from another process. A later one (Valkey was restarted or wiped) is
        taken up at its end: every shard counts as having a gap then, so nobody here needs what stands before.
        """
        if batch.generation != self.generation:
            self._start_over(batch.generation)
            return FeedUpdate([])
        gaps = frozenset(self._find_gaps(batch.surveys, _split(batch)) if batch.surveys else ())
        advanced = (self._shards[entry.shard].advance(entry) for entry in batch.entries)
        new = [entry for entry in advanced if entry is not None]
        if self.is_ready:
            return FeedUpdate(new, gaps, is_verified=batch.surveys is not None)
        self.is_ready = batch.surveys is not None and not self.may_have_more(batch)
        return FeedUpdate([], frozenset(range(SHARDS)) if self.is_ready else frozenset())

    def may_have_more(self, batch: Batch) -> bool:
        """Whether more may be waiting on the bus than this batch could carry."""
        if len(batch.entries) < self.limit:
            return False
        return any(len(entries) >= self.limit for entries in _split(batch))

    def resume(self, user_id: int, since: str) -> Resumption:
        """Where a client whose last frame was at `since` goes on; any text will do.

        The position of another person means nothing (contract §5). One that several people share is accepted
        from those who were told its event.
        """
        shard = self._shards[shard_of(user_id)]
        known = self._find_position(since, user_id)
        if known is None or not shard.can_replay_after(known):
            return Resumption(None, None, shard.position)
        missed = [
            PastEvent(entry.position, event)
            for entry in shard.buffer.find_after(user_id, known)
            if (event := decode_event(entry.payload)) is not None
        ]
        return Resumption(leave_out_old(missed), known, max(known, shard.position))

    def _find_position(self, since: str, user_id: int) -> Position | None:
        """The position up to which this person knows everything; None if `since` does not say so."""
        shown = parse_position(since)
        if shown is None or shown.generation != self.generation:
            return None
        if shown.user_id is not None:
            return shown.position if shown.user_id == user_id else None
        if shown.shard != (shard := shard_of(user_id)):
            return None
        is_theirs = self._shards[shard].may_concern(user_id, shown.position)
        return shown.position if is_theirs else None

    def _start_over(self, generation: str) -> None:
        is_first = not self.generation
        self.generation, self.is_ready = generation, False
        for shard in self._shards:
            shard.start_over(is_skipping=not is_first)

    def _find_gaps(self, surveys: Sequence[Survey], read: list[list[Entry]]) -> list[int]:
        return [
            number
            for number, shard in enumerate(self._shards)
            if shard.compare(surveys[number], read[number], limit=self.limit)
        ]


def _split(batch: Batch) -> list[list[Entry]]:
    """The entries of each shard."""
    by_shard: list[list[Entry]] = [[] for _ in range(SHARDS)]
    for entry in batch.entries:
        by_shard[entry.shard].append(entry)
    return by_shard
