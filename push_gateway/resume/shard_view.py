"""One shard's stream as this gateway has read it: repeats are recognised, gaps are noticed. Pure.

Used by `bus_view.py` only.
"""

from array import array
from collections.abc import Sequence

from push_gateway.frames import group_recipients
from push_gateway.resume.newest_forms import NewestForms
from push_gateway.resume.replay_buffer import ReplayBuffer
from storage.model.event import Event, MessageRecalled, MessageUpdated, NewMessage
from storage.valkey.bus_reader import BEGINNING, Entry, Position, Survey

REMEMBERED_KEYS = 10_000  # latest events, recognised when they are published again
REMEMBERED_RECALLS = 10_000  # latest recalls: a message that comes after its recall is dropped
FEED_LAG_MS = 60_000  # a client may have been told more by a process that is this much ahead


class ShardView:
    """What was read of one shard.

    The keys of events and the forms of messages are remembered when the bus begins a new life, too: what it brings
    again is a repeat.
    """

    def __init__(self, *, budget_bytes: int, kept_ms: int) -> None:
        self.buffer = ReplayBuffer(budget_bytes=budget_bytes)
        self._kept_ms = kept_ms
        self._seen_keys: dict[str, Position] = {}
        self._recalled_keys: dict[str, None] = {}
        self._forms = NewestForms()
        self.start_over(is_skipping=False)

    def start_over(self, *, is_skipping: bool) -> None:
        """Nothing of the stream is read yet.

        If `is_skipping`, what it holds at the first survey never will be: `position` goes to its end.
        """
        self.is_skipping = is_skipping
        self.position = BEGINNING
        # The end of what was read when a gap was noticed last: up to here clients may have missed something.
        self._gap_before: Position | None = None
        # The number, in its stream, of the entry to come; None before the first survey.
        self._next_number: int | None = None
        self.buffer.reset(BEGINNING)

    def can_replay_after(self, position: Position) -> bool:
        """Whether a client that knows everything up to `position` can be given all that follows.

        What follows is in the buffer or still to come; and no gap was noticed behind which the client may have
        been told something.
        """
        if self._gap_before is not None and position <= self._gap_before:
            return False
        is_read_soon = position.ms <= self.position.ms + FEED_LAG_MS
        return self.buffer.complete_after <= position and is_read_soon

    def may_concern(self, user_id: int, position: Position) -> bool:
        """Whether the event at this position is for this person; True where this process cannot know."""
        is_known = self.buffer.complete_after < position <= self.position
        return not is_known or self.buffer.has_entry(user_id, position)

    def compare(self, survey: Survey, entries: list[Entry], *, limit: int) -> bool:
        """Compare what was read so far with what there was; call before `entries`, read with the survey, are taken.

        `limit` is the number of entries that the read could bring at most. Returns True if something between
        the two was missed.
        """
        if self.is_skipping:
            self.is_skipping, self.position = False, survey.last
        has_all = len(entries) < limit
        expected = survey.dropped if self._next_number is None else self._next_number
        first = survey.added - len(entries) if has_all else max(expected, survey.dropped)
        has_gap = first != expected
        if self._next_number is None or has_gap:
            is_complete = first == 0  # nothing of this stream was ever dropped
            oldest = entries[0].position if entries else survey.last
            self.buffer.reset(BEGINNING if is_complete else oldest)
        if self._next_number is not None and has_gap:
            # Connected clients are told now. Those who left since, with a position behind the gap, are told
            # when they come back.
            self._gap_before = self.position
        self._next_number = first
        return has_gap

    def advance(self, entry: Entry) -> Entry | None:
        """Take the next entry in; returns what is to be pushed of it, at the same position, None if nothing is.

        Nothing is to be pushed of what was seen before or is older than what was told, of what this version cannot read,
        and of a message whose recall came first (its publisher was held up between reading the record and writing
        to the bus). A message that comes late is pushed in its newest form.
        """
        self.position = entry.position
        if self._next_number is not None:
            self._next_number += 1
        told = self._settle(entry)
        if told is None or told.event is None:
            return None
        self.buffer.add(told.position, told.payload, user_ids=_sort_recipients(told.event))
        self.buffer.drop_before(told.position.ms - self._kept_ms)
        return told

    def _settle(self, entry: Entry) -> Entry | None:
        event = entry.event
        if event is None:
            return None
        is_new = self._is_new(key := event.key, entry.position)
        match event:
            case NewMessage():
                if key in self._recalled_keys:
                    return None
                return self._forms.settle_message(key, entry, event, is_repeat=not is_new)
            case MessageUpdated(updated_key=key) if is_new:
                if key in self._recalled_keys:
                    return None
                return self._forms.settle_change(key, entry, event)
            case MessageRecalled() if is_new:
                self._remember_recall(event)
        return entry if is_new else None

    def _remember_recall(self, recall: MessageRecalled) -> None:
        self._recalled_keys[recall.recalled_key] = None
        self._forms.forget(recall.recalled_key)
        if len(self._recalled_keys) > REMEMBERED_RECALLS:
            del self._recalled_keys[next(iter(self._recalled_keys))]

    def _is_new(self, key: str, position: Position) -> bool:
        # A restarted Valkey may hold the same entry, at the same position: that is no repeat.
        if self._seen_keys.setdefault(key, position) != position:
            return False
        if len(self._seen_keys) > REMEMBERED_KEYS:
            del self._seen_keys[next(iter(self._seen_keys))]
        return True


def _sort_recipients(event: Event) -> Sequence[int]:
    everyone = (user_id for _, user_ids in group_recipients(event) for user_id in user_ids)
    return array("q", sorted(everyone))
