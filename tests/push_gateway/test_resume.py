"""Resume under any interleaving: every event reaches every client once, or the client is told.

A model bus (streams in memory that can be trimmed, wiped, restarted with loss, and cut off) feeds the
real feed, view of the bus, gateway and frames; clients with fake sockets come, go and resume at any moment,
also between the parts of a delivery. A client *knows* what it was sent, and what the history held
when it read it: when it connected without a position, and whenever it was told RESYNC.
"""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from prometheus_client import CollectorRegistry
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from push_gateway import dispatcher as dispatcher_module
from push_gateway.connection import Connection
from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import Metrics
from push_gateway.resume import shard_view as shard_view_module
from push_gateway.settings import load_settings
from push_gateway.sockets.frame_socket import SocketOwner
from storage.model.errors import TransientError
from storage.model.event import Disconnect, MessageRecalled
from storage.valkey.bus_reader import BEGINNING, Batch, Entry, Position, Survey
from storage.valkey.event_json import SHARDS, decode_event, encode_event, shard_of
from tests.push_gateway.running import SECRET, to_all

pytestmark = pytest.mark.pure

USERS = (16, 32, 17)  # two share a shard
LIMIT = 3  # entries a read: falling behind is common
audiences = st.sets(st.sampled_from(USERS), min_size=1)
devices = st.integers(0, 3)
ENVIRON = {"CARILLON_VALKEY_URL": "redis://model", "CARILLON_JWT_SECRET": SECRET}


class Stream:
    """One shard of the model bus."""

    def __init__(self) -> None:
        self.entries: list[tuple[Position, bytes]] = []
        self.added = 0
        self.last = BEGINNING


class ModelBus:
    """What Valkey does, as far as the feed can see; a Reader."""

    def __init__(self) -> None:
        self.streams = [Stream() for _ in range(SHARDS)]
        self.life = 0
        self.now = 1_000_000
        self.is_cut = False

    def publish(self, event: Any) -> None:
        """XADD on every shard of the event."""
        self.now += 1
        for shard, payload in encode_event(event):
            stream = self.streams[shard]
            stream.last = Position(self.now, 0)
            stream.entries.append((stream.last, payload))
            stream.added += 1

    def trim(self, keep: int) -> None:
        """XTRIM: every shard keeps its latest `keep`."""
        for stream in self.streams:
            stream.entries = stream.entries[max(0, len(stream.entries) - keep) :]

    def wipe(self) -> None:
        """FLUSHALL."""
        self.streams = [Stream() for _ in range(SHARDS)]
        self.life += 1

    def restart(self, lost: int) -> None:
        """A crash that loses the latest `lost` entries of every shard."""
        for stream in self.streams:
            if lost and stream.entries:
                del stream.entries[-lost:]
                stream.added -= min(lost, stream.added)
                stream.last = stream.entries[-1][0] if stream.entries else BEGINNING
        self.life += 1
        self.is_cut = True

    async def connect(self) -> None:
        """See Reader."""
        self.is_cut = False

    async def read(self, positions: list[Position], *, limit: int, wait: timedelta) -> Batch:
        """See Reader; never waits."""
        if self.is_cut:
            raise TransientError("cut")
        return Batch(f"{self.life:08x}", self._after(positions, limit))

    async def audit(self, positions: list[Position], *, limit: int) -> Batch:
        """See Reader."""
        batch = await self.read(positions, limit=limit, wait=timedelta())
        surveys = tuple(
            Survey(stream.added, stream.added - len(stream.entries), stream.last)
            for stream in self.streams
        )
        return Batch(batch.generation, batch.entries, surveys)

    def _after(self, positions: list[Position], limit: int) -> list[Entry]:
        found = []
        for shard, stream in enumerate(self.streams):
            news = [entry for entry in stream.entries if entry[0] > positions[shard]][:limit]
            found += [Entry(shard, at, payload, decode_event(payload)) for at, payload in news]
        return found


class Stuffed(ModelBus):
    """A bus that notes how much is read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def read(self, positions: list[Position], *, limit: int, wait: timedelta) -> Batch:
        """See Reader."""
        batch = await super().read(positions, limit=limit, wait=wait)
        self.sizes.append(sum(len(entry.payload) for entry in batch.entries))
        return batch


class Device:
    """A client: what it knows, and its socket (a FrameSocket) while it is connected."""

    def __init__(self, user_id: int, history: list[str], ever: set[str]) -> None:
        self.user_id = user_id
        self.history = history
        self.ever = ever  # what was in a history once, recalled or not
        self.recalls_told: list[str] = []
        self.known: set[str] = set()
        self.pos: str | None = None
        self.told: list[str] = []
        self.since_told: list[str] = []
        self.close_code: int | None = None
        self.heard_at = 0.0
        self.connection: Connection | None = None

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> None:
        """See FrameSocket."""

    def write(self, frames: bytes) -> None:
        """Decode what came and remember it."""
        parser = ClientProtocol(parse_uri("ws://model"), state=OPEN)
        parser.receive_data(frames)
        for event in parser.events_received():
            assert isinstance(event, Frame)
            self._heard(json.loads(bytes(event.data)))

    def _heard(self, frame: dict[str, Any]) -> None:
        self.pos = frame["pos"]
        if frame["type"] == "RESYNC":
            self.known = set(self.history)
            self.since_told = []
            return
        name = f"n{frame['data']['id']}.0"
        if frame["type"] == "MESSAGE_RECALLED":
            self.known.discard(name)
            self.recalls_told.append(name)
            return
        assert name in self.ever, "pushed before it was in the history"
        assert name not in self.told, "twice on one socket"
        assert name not in self.since_told, "again, though the client said where it was"
        self.told.append(name)
        self.since_told.append(name)
        self.known.add(name)

    def buffered(self) -> int:
        """See FrameSocket."""
        return 0

    def ping(self) -> None:
        """See FrameSocket."""

    def close(self, code: int, reason: str) -> None:
        """See FrameSocket."""
        self.close_code = code


class Interleaving(RuleBasedStateMachine):
    """Publishing, damage, reading and clients, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bus = ModelBus()
        self.histories: dict[int, list[str]] = {user: [] for user in USERS}
        self.published: list[Any] = []
        self.ever: set[str] = set()
        self.devices = [Device(user, self.histories[user], self.ever) for user in (*USERS, 16)]
        self.unpublished: list[Any] = []
        self.handshakes: dict[int, tuple[str | None, str]] = {}
        self.start_gateway()

    @rule()
    def start_gateway(self) -> None:
        """A new gateway process; the clients of the old one are gone.

        Not in the moment between a gap in what it read and its noticing it: who was told something behind
        the gap then has a position that the new process cannot tell from a good one (known flaw).
        """
        for device in self.devices:
            device.connection = None
            if device.pos is not None and self._is_behind_a_gap(device):
                device.pos = None
        self.handshakes = {}
        metrics = Metrics(CollectorRegistry())
        self.gateway = Gateway(load_settings(ENVIRON), metrics)
        self.feed = Feed(
            self.bus,
            self.gateway.bus_view,
            self.gateway.dispatcher.dispatch,
            limit=LIMIT,
            metrics=metrics,
        )
        self._read_until_ready()

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
            self.bus.publish(self._commit(audience))

    @rule(audience=audiences)
    def commit_without_publishing(self, audience: set[int]) -> None:
        """A worker dies between commit and publish; the event is published later, out of order."""
        self.unpublished.append(self._commit(audience))

    def _commit(self, audience: set[int]) -> Any:
        event = to_all(len(self.published) + 1, sorted(audience))
        self.published.append(event)
        for user in audience:
            self.histories[user].append(event.key)
        self.ever.add(event.key)
        return event

    @precondition(lambda self: self.published)
    @rule(choice=st.integers(0, 10_000))
    def recall(self, choice: int) -> None:
        """A message is taken back, and all who had it are told."""
        event = self.published[choice % len(self.published)]
        if any(event.key in device.known - self._read_by_feed(device) for device in self.devices):
            return  # read over REST before its event: a gateway cannot know, and leaves both out for who resumes
        for history in self.histories.values():
            if event.key in history:
                history.remove(event.key)
        if event in self.unpublished:  # its publisher leaves it out now
            self.unpublished.remove(event)
        self.bus.publish(MessageRecalled(event.message.id, event.recipients))

    def _read_by_feed(self, device: Device) -> set[str]:
        return set(self.gateway.bus_view._shards[shard_of(device.user_id)]._seen_keys)

    @precondition(lambda self: self.published)
    @rule(choice=st.integers(0, 10_000))
    def publish_again(self, choice: int) -> None:
        """A publish is repeated, out of order and as often as it likes, but not of what was taken back."""
        event = self.published[choice % len(self.published)]
        if not any(event.key in history for history in self.histories.values()):
            return
        self.bus.publish(event)
        if event in self.unpublished:
            self.unpublished.remove(event)

    @rule(keep=st.integers(1, 4))
    def trim(self, keep: int) -> None:
        """The bus forgets what is old, read or not."""
        self.bus.trim(keep)

    @rule()
    def wipe(self) -> None:
        """The bus is emptied under the feed's feet."""
        self.bus.wipe()

    @rule(lost=st.integers(0, 3))
    def restart_bus(self, lost: int) -> None:
        """The bus crashes and comes back, without its latest entries."""
        self.bus.restart(lost)

    @rule()
    def cut(self) -> None:
        """The feed's connection breaks."""
        self.bus.is_cut = True

    @rule()
    def step_feed(self) -> None:
        """The feed reads once, or finds its connection broken and connects again."""
        self._run(self._step())

    async def _step(self) -> None:
        try:
            await self.feed.step()
        except TransientError:
            await self.bus.connect()
            self.feed._audit_at = 0.0

    @rule(index=devices, resumes=st.booleans())
    def connect(self, index: int, resumes: bool) -> None:
        """A client comes (again) and is let in at once."""
        self.begin_handshake(index, resumes)
        self.finish_handshake(index)

    @rule(index=devices, resumes=st.booleans())
    def begin_handshake(self, index: int, resumes: bool) -> None:
        """A client comes again and is judged: the gateway takes its mark, as in `Handshake`."""
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
        device.told = []
        if since is None:
            device.since_told = []
        device.connection = Connection(
            user_id=device.user_id, socket=device, owner=self.gateway, expires_at=1e12
        )
        self.gateway.admit(device.connection, since=since, position_at_check=position_at_check)
        if since is None:
            device.known = set(device.history)

    @rule(index=devices)
    def disconnect(self, index: int) -> None:
        """A client goes away."""
        device = self.devices[index]
        if device.connection is not None:
            self.gateway.forget(device.connection, code=1006)
            device.connection = None

    @rule(moves=st.lists(st.tuples(devices, st.booleans()), min_size=1, max_size=6))
    def step_feed_with_clients_in_between(self, moves: list[tuple[int, bool]]) -> None:
        """Clients are judged, let in and go away while one batch is being delivered."""

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
            assert device.known <= self.ever

    @rule()
    def settle(self) -> None:
        """When everything was published and read, every connected client knows its history."""
        for event in self.unpublished:
            self.bus.publish(event)
        self.unpublished = []
        self._read_until_ready()
        for _ in range(3 + max(len(stream.entries) for stream in self.bus.streams) // LIMIT):
            self.feed._audit_at = 0.0
            self.step_feed()
        for device in self.devices:
            if device.connection is not None:
                assert device.known == set(device.history), "something was missed"

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


@pytest.fixture(autouse=True)
def _yield_after_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher_module, "FRAMES_PER_TURN", 0)


def test_every_event_reaches_every_client_once_or_the_client_is_told() -> None:
    """Whatever is lost, repeated, reordered, trimmed, wiped or cut off, and whoever comes when."""
    profile = settings(max_examples=400, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Interleaving, settings=profile)


@pytest.fixture
def story() -> Iterator[Interleaving]:
    """The machine, to be driven by hand."""
    machine = Interleaving()
    yield machine
    machine.loop.close()


def test_a_person_disabled_during_the_handshake_is_not_let_in(story: Interleaving) -> None:
    """A Disconnect between the judging and the admission closes the new connection with 4500."""
    story.begin_handshake(0, resumes=False)
    story.bus.publish(Disconnect(16, at_ms=1))
    story.step_feed()
    story.finish_handshake(0)
    assert story.devices[0].close_code == 4500
    assert len(story.gateway.hub) == 0


def test_a_person_enabled_again_may_resume_past_their_disconnect(story: Interleaving) -> None:
    """An old Disconnect among the missed events closes nothing."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.bus.publish(Disconnect(16, at_ms=1))
    story.publish([{16}])
    story.step_feed()
    story.connect(0, resumes=True)
    assert story.devices[0].close_code is None
    assert story.devices[0].told == ["n2.0"]


def missed_two_of_three(story: Interleaving) -> Device:
    """A client that saw one event and left; since then one was trimmed away and one is there."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}, {16}])
    story.bus.trim(1)
    return story.devices[0]


def test_a_message_that_comes_after_its_recall_is_never_shown(story: Interleaving) -> None:
    """A publisher that was held up past the recall: neither a live client sees the message nor one that resumes."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.connect(3, resumes=True)
    story.disconnect(3)
    late = story._commit({16})
    story.bus.publish(MessageRecalled(late.message.id, late.recipients))
    story.bus.publish(late)
    story.step_feed()
    story.publish([{16}])
    story.step_feed()
    story.devices[3].pos = story.devices[0].pos
    assert story.devices[0].told == ["n1.0", "n3.0"]
    story.devices[3].pos = story.gateway.bus_view.format_position(
        16, story.bus.streams[0].entries[0][0]
    )
    story.connect(3, resumes=True)
    assert story.devices[3].told == ["n3.0"]


def test_a_message_recalled_while_a_client_was_away_is_not_replayed(story: Interleaving) -> None:
    """What it has not seen is left out with its recall; what it has seen gets its MESSAGE_RECALLED."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}, {16}])
    story.recall(choice=1)
    story.recall(choice=0)
    story.settle()
    story.connect(0, resumes=True)
    device = story.devices[0]
    assert (device.told, device.recalls_told) == (["n3.0"], ["n1.0"])
    assert device.known == {"n3.0"}


def test_a_bus_full_of_long_events_is_read_in_small_pieces() -> None:
    """A process that starts reads all of it, a few megabytes at a time and not all shards' hundreds at once."""
    bus = Stuffed()
    everyone = tuple(range(SHARDS))
    for number in range(60):
        event = to_all(number, everyone)
        bus.publish(replace(event, content="x" * 60_000))
    metrics = Metrics(CollectorRegistry())
    gateway = Gateway(load_settings(ENVIRON), metrics)
    feed = Feed(bus, gateway.bus_view, gateway.dispatcher.dispatch, limit=500, metrics=metrics)

    async def catch_up() -> None:
        while not gateway.bus_view.is_ready:
            await feed.step()

    asyncio.run(catch_up())
    assert sum(bus.sizes) > 55e6
    assert max(bus.sizes) < 20e6
    assert sorted(bus.sizes)[len(bus.sizes) // 2] < 9e6


def test_memory_of_recalls_is_bounded(story: Interleaving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard remembers its latest recalls, and no more than that."""
    monkeypatch.setattr(shard_view_module, "REMEMBERED_RECALLS", 10)
    for number in range(1, 31):
        story.bus.publish(MessageRecalled(1000 + number, ((-7, (16,)),)))
    for _ in range(12):
        story.step_feed()
    assert len(story.gateway.bus_view._shards[0]._recalled_keys) == 10


def test_who_was_told_something_behind_a_gap_and_left_is_told_to_resync(
    story: Interleaving,
) -> None:
    """One event was trimmed unread and the next one told; the client leaves before the gap is noticed."""
    device = story.devices[0]
    story.connect(0, resumes=False)
    story.publish([{16}, {16}])
    story.bus.trim(1)
    story.step_feed()
    assert device.told == ["n2.0"]
    story.disconnect(0)
    story.settle()
    story.connect(0, resumes=True)
    assert device.known == {"n1.0", "n2.0"}


def test_a_position_older_than_the_bus_is_told_to_resync(story: Interleaving) -> None:
    """A process that starts after the trim cannot replay what is gone, and says so."""
    device = missed_two_of_three(story)
    story.start_gateway()
    story.connect(0, resumes=True)
    assert device.told == []
    assert device.known == {"n1.0", "n2.0", "n3.0"}


def test_a_position_before_a_gap_of_the_feed_is_told_to_resync(story: Interleaving) -> None:
    """A process whose feed missed something does not pretend to replay across it."""
    device = missed_two_of_three(story)
    story.feed._audit_at = 0.0
    story.step_feed()
    story.connect(0, resumes=True)
    assert device.told == []
    assert device.known == {"n1.0", "n2.0", "n3.0"}


def test_what_another_process_has_told_is_not_told_again(story: Interleaving) -> None:
    """A client whose position is ahead of this process gets live events from there on only."""
    story.publish([{16}])
    story.step_feed()
    story.publish([{16}, {16}])
    device = story.devices[0]
    device.pos = story.gateway.bus_view.format_position(16, story.bus.streams[0].entries[1][0])
    story.connect(0, resumes=True)
    story.step_feed()
    assert device.told == ["n3.0"]


@pytest.mark.parametrize(
    "pos",
    ["", "x", "00000000-1", "00000000-1-x", "ffffffff-1-0-16", "00000000-1000001-0", "0" * 99],
)
def test_a_position_that_means_nothing_is_told_to_resync(story: Interleaving, pos: str) -> None:
    """Any text may be sent as `since`; it is never an error."""
    story.devices[0].pos = pos
    story.publish([{16}])
    story.connect(0, resumes=True)
    assert story.devices[0].known == {"n1.0"}


def test_the_position_of_another_person_is_told_to_resync(story: Interleaving) -> None:
    """Of the same shard or of another, given by a frame of their own or by one that several others got."""
    mine = story.devices[0]
    for audience in ({16}, {17}, {32}, {32, 17}):
        story.publish([audience])
    for index in (0, 1, 2):
        story.connect(index, resumes=False)
    story.publish([{32}, {17}])
    for _ in range(3):
        story.step_feed()
    theirs = [story.devices[1].pos, story.devices[2].pos]
    shard_16, shard_17 = story.bus.streams[0], story.bus.streams[1]
    theirs += [
        story.gateway.bus_view.format_shared_position(0, shard_16.entries[-1][0]),
        story.gateway.bus_view.format_shared_position(1, shard_17.entries[-1][0]),
    ]
    for pos in theirs:
        story.disconnect(0)
        mine.pos, mine.known = pos, set()
        story.connect(0, resumes=True)
        assert mine.known == set(mine.history), pos


def test_a_position_that_several_share_is_good_for_each_of_them(story: Interleaving) -> None:
    """Who was told the event resumes after it: their next frame comes, and not the event again."""
    for index in (0, 1):
        story.connect(index, resumes=False)
    story.publish([{16, 32}])
    story.step_feed()
    assert story.devices[0].pos == story.devices[1].pos
    for index in (0, 1):
        story.disconnect(index)
    story.publish([{16, 32}])
    story.step_feed()
    for index in (0, 1):
        story.connect(index, resumes=True)
        assert story.devices[index].told == ["n2.0"]


def test_too_much_to_replay_is_told_to_resync(story: Interleaving) -> None:
    """Replaying more than half of the buffer would close the client as a slow reader; RESYNC instead."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}] * 2000)
    story.settle()
    story.connect(0, resumes=True)
    assert story.devices[0].told == []
    assert len(story.devices[0].known) == 2001


def test_who_is_let_in_while_the_bus_begins_a_new_life_misses_nothing() -> None:
    """Their handshake began before Valkey's restart was noticed; once found by thousands of examples."""
    story = Interleaving()
    for _ in range(6):
        story.commit_without_publishing(audience={16})
    story.restart_bus(lost=0)
    for index in (0, 0, 1):
        story.step_feed_with_clients_in_between(moves=[(index, False)])
    story.commit_without_publishing(audience={16})
    story.settle()
    story.teardown()
