"""Writes events to the sockets of those whom they concern: live ones as the feed reads them, missed ones by replay.

Everything here runs on the event loop's thread. `welcome` does not await, and `dispatch` awaits only between
events, so that a connection is either in the hub when an event is dispatched, or is replayed it: never both,
never neither (docs/decisions/0015-positions-and-resume.md).
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from push_gateway.connection import Connection
from push_gateway.frames import (
    FrameEncoder,
    encode_hello,
    encode_resync,
    group_recipients,
    make_position_encoder,
)
from push_gateway.hub import Hub
from push_gateway.metrics import GatewayMetrics
from push_gateway.recent_pushes import RecentPushes
from push_gateway.resume.bus_view import BusView, FeedUpdate
from push_gateway.resume.client_position import NOWHERE
from push_gateway.resume.resumption import PastEvent, Resumption
from storage.model.event import Disconnect, Event, NewMessage
from storage.model.origin import Origin
from storage.process.tracing import Tracer
from storage.valkey.bus_reader import Entry
from storage.valkey.event_json import SHARDS

FRAMES_PER_TURN = (
    10_000  # then other clients have their turn of the loop: handshakes, pings, closes
)

log = logging.getLogger(__name__)


class Dispatcher:
    """Encodes events and writes their frames. `disconnect` closes a disabled person's sockets, and says how many."""

    def __init__(
        self,
        hub: Hub[Connection],
        bus_view: BusView,
        encoder: FrameEncoder,
        metrics: GatewayMetrics,
        *,
        disconnect: Callable[[int], int],
        position_seconds: float,
        tracing: Tracer | None,
    ) -> None:
        self._hub = hub
        self._bus_view = bus_view
        self._encoder = encoder
        self._metrics = metrics
        self._disconnect = disconnect
        self._tracing = tracing
        self._with_queued: list[Connection] = []
        self.recent_pushes = RecentPushes(since_ms=int(time.time() * 1000))
        self._position_seconds = position_seconds
        self._positions_told = 0  # shards, since the event loop's clock began

    async def dispatch(self, update: FeedUpdate) -> None:
        """Write what a read of the bus brought: RESYNC for gaps, then the events in their order.

        A shard's only event is written at once. Several are queued and then written together, one write a
        socket: under load writing is most of the cost.
        """
        for shard in update.shards_with_gaps:
            self._queue_resync(shard)
        self._flush()
        self._metrics.events.inc(len(update.new_entries))
        several = _find_repeated(entry.shard for entry in update.new_entries)
        written = 0
        for entry in update.new_entries:
            written += self._handle(entry, at_once=entry.shard not in several)
            if written >= FRAMES_PER_TURN:
                written = 0
                self._flush()
                await asyncio.sleep(0)
        self._flush()
        self._observe_delays(update.new_entries)
        if update.is_verified:
            await self._tell_positions()

    def welcome(self, connection: Connection, resumption: Resumption, *, most_bytes: int) -> None:
        """Write HELLO, then what a client missed, or RESYNC if that is not known or more than `most_bytes`.

        HELLO says where to resume from for a client that sees nothing of what follows. Events that the feed brings are
        for this connection from `resumption.live_after` on.
        """
        user_id = connection.user_id
        connection.replayed_until = resumption.live_after
        frames = self._encode_missed(resumption.missed, user_id)
        hello_pos = NOWHERE
        if resumption.known is None or sum(map(len, frames)) > most_bytes:
            pos = self._bus_view.format_position(user_id, resumption.live_after)
            frames = [encode_resync(pos)]
            self._metrics.resumes.labels("resync").inc()
        else:
            hello_pos = self._bus_view.format_position(user_id, resumption.known)
            if frames:
                self._metrics.resumes.labels("replayed").inc()
        hello = encode_hello(hello_pos, server_time_ms=int(time.time() * 1000))
        connection.queued_frames = [hello, *frames]
        self._with_queued.append(connection)
        self._flush()

    def _encode_missed(self, missed: list[PastEvent] | None, user_id: int) -> list[bytes]:
        format_position = self._bus_view.format_position
        return [
            self._encoder.encode(
                past.event,
                conversation_id=peer_id,
                pos=format_position(user_id, past.position),
                user_ids=user_ids,
            )
            for past in missed or ()
            for peer_id, user_ids in group_recipients(past.event)
            if user_id in user_ids and not isinstance(past.event, Disconnect)
        ]

    async def _tell_positions(self) -> None:
        """Tell the clients of each shard whose turn it is where they are, if they were told nothing since its last turn.

        Every shard has its turn once in `position_seconds`. Only what a survey has verified is told: behind a gap that
        nobody has noticed yet, a client would resume at another process and miss what the gap held.
        """
        now = asyncio.get_running_loop().time()
        due = int(now / self._position_seconds * SHARDS)
        for number in range(max(self._positions_told, due - SHARDS), due):
            self._tell_position(number % SHARDS)
            await asyncio.sleep(0)
        self._positions_told = due

    def _tell_position(self, shard: int) -> None:
        encode = make_position_encoder(self._bus_view.format_place(shard))
        reached, count = self._bus_view.positions[shard], 0
        for connection in self._hub.find_by_shard(shard):
            if connection.was_told:
                connection.was_told = False
            # One that another process has told more than this one has read would be sent back.
            elif connection.replayed_until is None or connection.replayed_until <= reached:
                connection.write(encode(connection.user_id))
                count += 1
        self._metrics.frames.inc(count)

    def _queue_resync(self, shard: int) -> None:
        for connection in self._hub.find_by_shard(shard):
            pos = self._bus_view.format_position(connection.user_id)
            self._queue(connection, encode_resync(pos))
            self._metrics.resyncs.inc()

    def _handle(self, entry: Entry, *, at_once: bool) -> int:
        """Do what an event asks for on its connections; returns on how many."""
        match entry.event:
            case None:
                return 0
            case Disconnect(user_id=user_id):
                return self._disconnect(user_id)
            case event:
                return self._write_event(entry, event, at_once=at_once)

    def _write_event(self, entry: Entry, event: Event, *, at_once: bool) -> int:
        """Write an event to everyone whom it concerns, or queue it for them; returns on how many connections.

        One pass, and no list of the connections: with many sockets memory is what costs.
        """
        position, count = entry.position, 0
        for peer_id, user_ids in group_recipients(event):
            frame = b""
            for connection in self._hub.find_by_users(entry.shard, user_ids):
                if connection.replayed_until is not None and not connection.is_due(position):
                    continue
                count += 1
                # Encoded once somebody is found: most events are for nobody on this process.
                frame = frame or self._encode(entry, event, peer_id, user_ids)
                if at_once:
                    connection.was_told = True
                    connection.write(frame)
                else:
                    self._queue(connection, frame)
        if at_once:
            self._metrics.frames.inc(count)
        if count and isinstance(event, NewMessage):
            self.recent_pushes.note(event.message.id, count, at_ms=position.ms)
            self._trace(event, count=count, published_at=position.ms / 1000)
        return count

    def _encode(self, entry: Entry, event: Event, peer_id: int, user_ids: Sequence[int]) -> bytes:
        """The frame of an event for these people; one person's carries a position that is theirs alone."""
        if len(user_ids) == 1:
            pos = self._bus_view.format_position(user_ids[0], entry.position)
        else:
            pos = self._bus_view.format_shared_position(entry.shard, entry.position)
        return self._encoder.encode(event, conversation_id=peer_id, pos=pos, user_ids=user_ids)

    def _trace(self, event: NewMessage, *, count: int, published_at: float) -> None:
        """Note to how many sockets a message went, in its request's trace and in the log at DEBUG."""
        id = event.message.id
        if self._tracing is not None:
            self._tracing.record_span(
                "push", event.origin, since=published_at, message_id=id, sockets=count
            )
        if log.isEnabledFor(logging.DEBUG):
            extra = {"request_id": Origin.parse(event.origin).request_id}
            log.debug("push: message %d to %d sockets", id, count, extra=extra)

    def _queue(self, connection: Connection, frame: bytes) -> None:
        if not connection.queued_frames:
            self._with_queued.append(connection)
        connection.queued_frames.append(frame)

    def _flush(self) -> None:
        """Write every queued frame."""
        connections, self._with_queued = self._with_queued, []
        written = sum(one.flush() for one in connections if one.queued_frames)
        self._metrics.frames.inc(written)

    def _observe_delays(self, entries: list[Entry]) -> None:
        now = time.time()
        for entry in entries:
            self._metrics.published_to_frame.observe(now - entry.position.ms / 1000)
            if isinstance(entry.event, NewMessage):
                accepted_at = entry.event.message.created_at.timestamp()
                self._metrics.accepted_to_frame.observe(now - accepted_at)


def _find_repeated(shards: Iterable[int]) -> set[int]:
    return {shard for shard, count in Counter(shards).items() if count > 1}
