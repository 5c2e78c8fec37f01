"""A state machine of bus, gateway and clients, without damage to the bus; `interleaving.py` adds that.

The model bus feeds the real feed, view of the bus, gateway and frames; clients with fake sockets come, go and
resume at any moment, also between the parts of a delivery. A client *knows* what it was sent, and what the history
held when it read it: when it connected without a position, and whenever it was told RESYNC. Messages change, and what
tells of a change comes late, again and in any order (contract §8).
"""

import asyncio
from collections.abc import Coroutine
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from push_gateway.connection import Connection
from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.settings import load_settings
from storage.model.errors import TransientError
from storage.model.event import MessageRecalled, MessageUpdated, NewMessage
from storage.valkey.event_json import shard_of
from tests.push_gateway.resume.device import Device
from tests.push_gateway.resume.model_bus import ModelBus
from tests.push_gateway.resume.record import Record
from tests.push_gateway.running import SECRET, put_in_form

USERS = (16, 32, 17)  # two share a shard
LIMIT = 3  # entries a read: falling behind is common
audiences = st.sets(st.sampled_from(USERS), min_size=1)
devices = st.integers(0, 3)
choices = st.integers(0, 10_000)


class Kind(Enum):
    """What happens to a message that changes."""

    MESSAGE = "it is published as new"
    CHANGE = "it is published as changed"
    RECALL = "it is taken back"
    READ = "the feed reads"


often = (Kind.MESSAGE, Kind.CHANGE, Kind.CHANGE, Kind.READ)
kinds = st.sampled_from((*often, *often, Kind.RECALL))
bursts = st.lists(st.tuples(kinds, st.integers(0, 3)), min_size=1, max_size=8)
ENVIRON = {"CARILLON_VALKEY_URL": "redis://model", "CARILLON_JWT_SECRET": SECRET}


class Traffic(RuleBasedStateMachine):
    """Publishing, reading and clients, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bus = ModelBus()
        self.record = Record(USERS)
        self.devices = [Device(user, self.record) for user in (*USERS, 16)]
        self.unpublished: list[NewMessage] = []
        self.unpublished_changes: list[MessageUpdated] = []
        self.oldest_read: dict[str, int] = {}
        self.handshakes: dict[int, tuple[str | None, str]] = {}
        self.start_gateway()

    @initialize(indexes=st.sets(devices))
    def connect_first(self, indexes: set[int]) -> None:
        """Some clients are there from the beginning."""
        for index in sorted(indexes):
            self.connect(index, resumes=False)

    @rule()
    def start_gateway(self) -> None:
        """A new gateway process; the clients of the old one are gone.

        Not in the moment between a gap in what it read and its noticing it: who was told something behind
        the gap then has a position that the new process cannot tell from a good one (known flaw).

        The new process knows of the past what the bus still holds: an event whose entry is gone and that is published
        once more is news to it, and is told again on a new connection (docs/decisions/0015-positions-and-resume.md). So
        may be an older form than one that is gone; and no publisher of a message is held up for longer than the bus
        remembers (docs/decisions/0044-cards.md).
        """
        self._forget_old_forms()
        for device in self.devices:
            device.connection = None
            device.forget_what_nobody_knows(self.bus)
            if device.pos is not None and self._is_behind_a_gap(device):
                device.pos = None
        self.handshakes = {}
        metrics = GatewayMetrics(CollectorRegistry())
        self.gateway = Gateway(load_settings(ENVIRON), metrics)
        self.feed = Feed(
            self.bus,
            self.gateway.bus_view,
            self.gateway.dispatcher.dispatch,
            limit=LIMIT,
            metrics=metrics,
        )
        self._read_until_ready()

    def _forget_old_forms(self) -> None:
        for event in self.record.events:
            newest = self.record.published.get(event.key, 1)
            shards = {shard_of(user_id) for user_id in event.recipients[0][1]}
            held = [self.bus.find_held_forms(shard).get(event.key, 0) for shard in shards]
            if min(held) < newest:
                self.oldest_read[event.key] = newest

    def _is_behind_a_gap(self, device: Device) -> bool:
        shard = shard_of(device.user_id)
        stream, told = self.bus.streams[shard], self.gateway.bus_view._shards[shard]
        unread = [at for at, _ in stream.entries if at > told.position]
        return told._gap_before is not None or told._next_number != stream.added - len(unread)

    def _read_until_ready(self) -> None:
        for _ in range(200):
            self.step_feed()
            if self.gateway.bus_view.is_ready:
                return
        raise AssertionError("the feed never caught up")

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    @rule(burst=st.lists(audiences, min_size=1, max_size=8))
    def publish(self, burst: list[set[int]]) -> None:
        """Messages are committed, then their events are published."""
        for audience in burst:
            self._publish_message(self._commit(audience))

    @rule(audience=audiences)
    def commit_without_publishing(self, audience: set[int]) -> None:
        """A worker dies between commit and publish; the event is published later, out of order."""
        self.unpublished.append(self._commit(audience))

    @rule(is_published=st.booleans())
    def commit_in_parts(self, is_published: bool) -> None:
        """A broadcast is committed in two chunks, of which the second is published at once or later."""
        first, second = self.record.commit({16}, {32, 17})
        self._publish_message(first)
        if is_published:
            self._publish_message(second)
        else:
            self.unpublished.append(second)

    def _commit(self, audience: set[int]) -> NewMessage:
        [event] = self.record.commit(audience)
        return event

    @rule(which=choices | audiences, count=st.integers(0, 3), burst=bursts)
    def change(self, which: int | set[int], count: int, burst: list[tuple[Kind, int]]) -> None:
        """A message, one that there is or a new one to `which`, gets its next versions. Publishers bring its forms in any order.

        `burst` has what happens then, and how many changes ago who publishes has read the record. What is left is
        published later, also after a recall.
        """
        event = self._find_or_commit(which)
        for _ in range(count if self.record.is_there(event.key) else 0):
            self.unpublished_changes += self.record.change(event.message.id)
        changes = [one for one in self.record.changes if one.updated_key == event.key]
        for kind, age in burst:
            if kind is Kind.READ:
                self.step_feed()
            elif kind is Kind.RECALL:
                self._recall(event)
            elif kind is Kind.CHANGE and changes:
                self._publish_change(changes[-1 - age % len(changes)])
            elif kind is Kind.MESSAGE and self.record.is_there(event.key):
                self._publish_message(event, age=age)

    def _find_or_commit(self, which: int | set[int]) -> NewMessage:
        if isinstance(which, int) and self.record.events:
            return self.record.events[which % len(self.record.events)]
        event = self._commit(which if isinstance(which, set) else {16})
        self.unpublished.append(event)
        return event

    def _publish_change(self, change: MessageUpdated) -> None:
        self.record.note_published(change)
        self.bus.publish(change)
        if change in self.unpublished_changes:
            self.unpublished_changes.remove(change)

    def _publish_message(self, event: NewMessage, *, age: int = 0) -> None:
        """Publish a message in a form that is `age` changes old, if that is not older than what publishers can have read."""
        name = event.key
        oldest = self.oldest_read.get(name, 1)
        version = max(oldest, self.record.version_of(name) - age)
        form = put_in_form(event, version)
        self.record.note_published(form)
        self.bus.publish(form)
        if event in self.unpublished:
            self.unpublished.remove(event)

    @precondition(lambda self: self.record.events)
    @rule(choice=choices)
    def recall(self, choice: int) -> None:
        """A message is taken back, and all who had it are told."""
        self._recall(self.record.events[choice % len(self.record.events)])

    def _recall(self, event: NewMessage) -> None:
        self.record.recall(event.key)
        if event in self.unpublished:  # its publisher leaves it out now
            self.unpublished.remove(event)
        self.bus.publish(MessageRecalled(event.message.id, event.recipients, event.part))

    @precondition(lambda self: self.record.events)
    @rule(choice=choices)
    def publish_again(self, choice: int) -> None:
        """A publish is repeated, out of order and as often as it likes, but not of what was taken back."""
        event = self.record.events[choice % len(self.record.events)]
        if self.record.is_there(event.key):
            self._publish_message(event)

    @rule()
    def tell_positions(self) -> None:
        """Every shard has its turn to be told its position, twice: who is told nothing in between gets POSITION."""
        for _ in range(2):
            self.gateway.dispatcher._positions_told = 0
            self.feed._survey_at = 0.0
            self.step_feed()

    @rule()
    def step_feed(self) -> None:
        """The feed reads once, or finds its connection broken and connects again."""
        self._run(self._step())

    async def _step(self) -> None:
        try:
            await self.feed.step()
        except TransientError:
            await self.bus.connect()
            self.feed._survey_at = 0.0

    @rule(index=devices, resumes=st.booleans())
    def connect(self, index: int, resumes: bool) -> None:
        """A client comes (again) and is let in at once."""
        self.begin_handshake(index, resumes)
        self.finish_handshake(index)

    @rule(index=devices, resumes=st.booleans(), frames=st.integers(1, 4))
    def connect_for_a_moment(self, index: int, resumes: bool, frames: int = 1) -> None:
        """A client comes, sees HELLO and maybe some of what it missed, and is cut off before it sees anything else."""
        self.devices[index].frames_seen = frames
        self.connect(index, resumes)
        self.disconnect(index)
        self.devices[index].frames_seen = None

    @rule(index=devices, resumes=st.booleans())
    def begin_handshake(self, index: int, resumes: bool) -> None:
        """A client comes again and is checked: its resume position is taken before that, as in `Handshake`."""
        if self.gateway.bus_view.is_ready:
            self.disconnect(index)
            device = self.devices[index]
            since = device.pos if resumes else None
            self.handshakes[index] = (since, self.gateway.resume_position(device.user_id))

    @precondition(lambda self: self.handshakes)
    @rule(index=devices)
    def finish_handshake(self, index: int) -> None:
        """The client is let in; without a position it reads the history afterwards."""
        if index not in self.handshakes:
            return
        device = self.devices[index]
        since, position_at_check = self.handshakes.pop(index)
        device.begin_connection(resumes=since is not None)
        device.connection = Connection(
            user_id=device.user_id, socket=device, owner=self.gateway, expires_at=1e12
        )
        self.gateway.admit(device.connection, since=since, position_at_check=position_at_check)
        self._check_replay(device)
        if since is None:
            device.read_history()

    def _check_replay(self, device: Device) -> None:
        """What a client is replayed is each message once, in the newest form that the gateway has read."""
        names = [name for name, _ in device.forms_told]
        assert len(names) == len(set(names)), "more than the newest form"
        shard = shard_of(device.user_id)
        view = self.gateway.bus_view._shards[shard]
        forms = self.bus.find_held_forms(
            shard, after=view.buffer.complete_after, until=view.position
        )
        for name, version in device.forms_told:
            assert version >= forms.get(name, 0), "not the newest form"

    @rule(index=devices)
    def disconnect(self, index: int) -> None:
        """A client goes away."""
        device = self.devices[index]
        if device.connection is not None:
            self.gateway.forget(device.connection, code=1006)
            device.connection = None

    @rule(moves=st.lists(st.tuples(devices, st.booleans()), min_size=1, max_size=6))
    def step_feed_with_clients_in_between(self, moves: list[tuple[int, bool]]) -> None:
        """Clients are checked, let in and go away while one batch is being dispatched."""

        async def both() -> None:
            step = asyncio.ensure_future(self._step())
            for index, resumes in moves:
                await asyncio.sleep(0)
                if index in self.handshakes:
                    self.finish_handshake(index)
                else:
                    self.begin_handshake(index, resumes)
            await step

        self._run(both())

    @invariant()
    def nobody_knows_what_never_happened(self) -> None:
        """What a client knows is history."""
        for device in self.devices:
            assert device.known <= self.record.ever[device.user_id]

    @rule()
    def settle(self) -> None:
        """When everything was published and read, every connected client knows its history, in its newest form."""
        for change in reversed(list(self.unpublished_changes)):
            self._publish_change(change)
        for event in list(self.unpublished):
            self._publish_message(event)
        self._read_until_ready()
        for _ in range(3 + max(len(stream.entries) for stream in self.bus.streams) // LIMIT):
            self.feed._survey_at = 0.0
            self.step_feed()
        for device in self.devices:
            if device.connection is not None:
                assert device.known == set(device.history), "something was missed"
                for name in device.known:
                    assert device.versions[name] == self.record.version_of(name), "an old form"

    def teardown(self) -> None:
        """In the end, those who come back with their position know it too."""
        try:
            self.settle()
            for index, device in enumerate(self.devices):
                if device.connection is None and device.pos is not None:
                    self.connect(index, resumes=True)
            self.settle()
        finally:
            self.loop.close()
