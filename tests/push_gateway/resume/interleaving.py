"""A state machine of bus, gateway and clients, for tests of resuming under any interleaving.

The model bus feeds the real feed, view of the bus, gateway and frames; clients with fake sockets come, go and
resume at any moment, also between the parts of a delivery. A client *knows* what it was sent, and what the history
held when it read it: when it connected without a position, and whenever it was told RESYNC.
"""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from push_gateway.connection import Connection
from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.settings import load_settings
from push_gateway.sockets.frame_socket import SocketOwner
from storage.model.errors import TransientError
from storage.model.event import MessageRecalled
from storage.valkey.event_json import shard_of
from tests.push_gateway.resume.model_bus import ModelBus
from tests.push_gateway.running import SECRET, to_all

USERS = (16, 32, 17)  # two share a shard
LIMIT = 3  # entries a read: falling behind is common
audiences = st.sets(st.sampled_from(USERS), min_size=1)
devices = st.integers(0, 3)
ENVIRON = {"CARILLON_VALKEY_URL": "redis://model", "CARILLON_JWT_SECRET": SECRET}


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
        self.types: list[str] = []
        self.frames_seen: int | None = None  # of a connection; None: all of them
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
            self._note(json.loads(bytes(event.data)))

    def _note(self, frame: dict[str, Any]) -> None:
        if len(self.types) == self.frames_seen:
            return
        self.types.append(frame["type"])
        self.pos = frame["pos"]
        if frame["type"] in {"HELLO", "POSITION"}:
            assert (frame["type"] == "HELLO") == (len(self.types) == 1), (
                "HELLO comes first, and once"
            )
            return
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

    def count_buffered(self) -> int:
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

        The new process knows of the past what the bus still holds: an event whose entry is gone and that is published
        once more is news to it, and is told again on a new connection (docs/decisions/0015-positions-and-resume.md).
        """
        for device in self.devices:
            device.connection = None
            held = self.bus.list_held_keys(shard_of(device.user_id))
            device.since_told = [name for name in device.since_told if name in held]
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
        for history in self.histories.values():
            if event.key in history:
                history.remove(event.key)
        if event in self.unpublished:  # its publisher leaves it out now
            self.unpublished.remove(event)
        self.bus.publish(MessageRecalled(event.message.id, event.recipients))

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
    def tell_positions(self) -> None:
        """Every shard has its turn to be told its position, twice: who is told nothing in between gets POSITION."""
        for _ in range(2):
            self.gateway.dispatcher._positions_told = 0
            self.feed._survey_at = 0.0
            self.step_feed()

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
            self.feed._survey_at = 0.0

    @rule(index=devices, resumes=st.booleans())
    def connect(self, index: int, resumes: bool) -> None:
        """A client comes (again) and is let in at once."""
        self.begin_handshake(index, resumes)
        self.finish_handshake(index)

    @rule(index=devices, resumes=st.booleans())
    def connect_for_a_moment(self, index: int, resumes: bool) -> None:
        """A client comes, sees HELLO, and is cut off before it sees anything else."""
        self.devices[index].frames_seen = 1
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
        device.told, device.types = [], []
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
            assert device.known <= self.ever

    @rule()
    def settle(self) -> None:
        """When everything was published and read, every connected client knows its history."""
        for event in self.unpublished:
            self.bus.publish(event)
        self.unpublished = []
        self._read_until_ready()
        for _ in range(3 + max(len(stream.entries) for stream in self.bus.streams) // LIMIT):
            self.feed._survey_at = 0.0
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
