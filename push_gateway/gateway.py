"""One gateway process: lets clients in, and writes what happens to those it concerns.

Everything here runs on the event loop's thread. `admit` does not await, and `deliver` awaits only
between events, so that a connection is either in the hub when an event is delivered, or is replayed
it: never both, never neither.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from push_gateway.connection import Connection
from push_gateway.frames import REASONS, CloseCode, FrameEncoder, encode_resync, group_recipients
from push_gateway.hub import Hub
from push_gateway.metrics import Metrics
from push_gateway.resume import BusView, FeedUpdate, PastEvent, Resumption
from push_gateway.settings import GatewaySettings
from storage.model.errors import OverLimit
from storage.model.event import Disconnect, Event, NewMessage
from storage.model.origin import Origin
from storage.process.tracing import Tracing
from storage.valkey.bus import Entry
from storage.valkey.event_json import shard_of
from storage.valkey.gateway_reports import GatewayCounts

log = logging.getLogger(__name__)

READ_LIMIT = 500  # entries a shard in one read of the bus
HEARTBEAT_MISSED_SECONDS = (
    40.0  # clients send `ping` every 30 s (client document): who is silent for longer is gone
)
FRAMES_PER_TURN = 10_000  # then other clients get a word in: handshakes, pings, closes


class Gateway:
    """The clients of one process and what they are to be told."""

    def __init__(
        self, settings: GatewaySettings, metrics: Metrics, tracing: Tracing | None = None
    ) -> None:
        self._tracing = tracing
        self._push = settings.push
        self._frames = FrameEncoder(settings.display.time_zone)
        self._metrics = metrics
        self._with_queued: list[Connection] = []
        self.hub: Hub[Connection] = Hub()
        self.bus_view = BusView(
            backlog_bytes=settings.push.backlog_bytes,
            kept_ms=int(settings.bus.kept.total_seconds() * 1000),
            limit=READ_LIMIT,
        )

    def resume_position(self, user_id: int) -> str:
        """Where a person's events stand now; `admit` starts from here."""
        return self.bus_view.format_position(user_id)

    def check_user_limit(self, user_id: int, *, loop_now: float) -> None:
        """Raises OverLimit if the person has their number of sockets and every one is alive (contract §5).

        To close a living one instead would make two tabs drive each other out for ever.
        """
        theirs = self.hub.find_by_user(user_id)
        if self._is_full(theirs) and _find_silent(theirs, loop_now=loop_now) is None:
            longest = max(loop_now - one.socket.heard_at for one in theirs)
            raise OverLimit(
                "This person has as many sockets open as they may.",
                retry_after_seconds=max(1.0, HEARTBEAT_MISSED_SECONDS - longest),
            )

    def admit(
        self,
        connection: Connection,
        *,
        since: str | None,
        position_at_check: str,
        loop_now: float = 0.0,
    ) -> None:
        """Let in a client whose handshake is done: replay what it missed, then it is live.

        `position_at_check` was taken before the client was judged: if the person was disabled after it, out again.
        """
        if len(self.hub) >= self._push.connections:
            self.close(connection, CloseCode.OVER_CAPACITY)
            return
        recent = self.bus_view.resume(connection.user_id, position_at_check)
        if any(isinstance(happened.event, Disconnect) for happened in recent.missed or ()):
            self.close(connection, CloseCode.DISABLED)
            return
        if not self._replace_silent(connection.user_id, loop_now=loop_now):
            self.close(connection, CloseCode.OVER_CAPACITY)
            return
        self.hub.add(connection)
        self._metrics.sockets_open.set(len(self.hub))
        if since is not None:
            recent = self.bus_view.resume(connection.user_id, since)
        self._replay(connection, recent)

    def _is_full(self, theirs: list[Connection]) -> bool:
        return len(theirs) >= self._push.connections_per_user

    def _replace_silent(self, user_id: int, *, loop_now: float) -> bool:
        """False if the last place was taken by another handshake of the same moment."""
        theirs = self.hub.find_by_user(user_id)
        if not self._is_full(theirs):
            return True
        given_up = _find_silent(theirs, loop_now=loop_now)
        if given_up is not None:
            self.close(given_up, CloseCode.REPLACED)
        return given_up is not None

    def close(self, connection: Connection, code: CloseCode) -> None:
        """Tell a client why it must go, and whether to come back; it gets nothing from here on."""
        self.hub.remove(connection)
        connection.queued_frames = []
        connection.socket.close(code, REASONS[code])

    def forget(self, connection: Connection, *, code: int) -> None:
        """A connection is gone."""
        self.hub.remove(connection)
        self._metrics.sockets_open.set(len(self.hub))
        self._metrics.closes.labels(str(code)).inc()

    async def dispatch(self, update: FeedUpdate) -> None:
        """Write what a read of the bus brought.

        A shard's only event is written at once. Several are queued and then written together, one
        write a socket: under load that is most of the cost.
        """
        for shard in update.shards_with_gaps:
            self._resync(shard)
        self._flush()
        self._metrics.events.inc(len(update.new_entries))
        several = _find_repeated(entry.shard for entry in update.new_entries)
        turn = 0
        for entry in update.new_entries:
            turn += self._take(entry, at_once=entry.shard not in several)
            if turn >= FRAMES_PER_TURN:
                turn = 0
                self._flush()
                await asyncio.sleep(0)
        self._flush()
        self._observe_delays(update.new_entries)

    def close_expired_and_silent(self, *, now: float, loop_now: float) -> None:
        """Close whose token has ended (at Unix time `now`) and who is silent; call every second.

        Who has been silent for half the time is pinged: a client that sends no `ping` of its own
        stays if its WebSocket answers.
        """
        silence = self._push.silence.total_seconds()
        buffered = 0
        for connection in list(self.hub):
            buffered += connection.socket.buffered()
            silent = loop_now - connection.socket.heard_at
            if now >= connection.expires_at:
                self.close(connection, CloseCode.TOKEN_EXPIRED)
            elif silent >= silence:
                self.close(connection, CloseCode.SILENT)
            elif silent >= silence / 2:
                connection.socket.ping()
        self._metrics.buffered_bytes.set(buffered)

    def find_users(self, shard: int) -> set[int]:
        """Who is connected here, of a shard."""
        return {connection.user_id for connection in self.hub.find_by_shard(shard)}

    def disconnect_users(self, user_ids: Iterable[int]) -> int:
        """Close the connections of people who are disabled; how many."""
        count = 0
        for user_id in user_ids:
            for connection in list(self.hub.find_by_users(shard_of(user_id), (user_id,))):
                self.close(connection, CloseCode.DISABLED)
                count += 1
        return count

    def collect_counts(self) -> GatewayCounts:
        """How this process is doing; as of the last sweep for what waits."""
        frames, buffered = (
            int(self._metrics.registry.get_sample_value(name) or 0)
            for name in ("carillon_frames_total", "carillon_socket_buffered_bytes")
        )
        return GatewayCounts(1, len(self.hub), frames, buffered)

    def _replay(self, connection: Connection, resumption: Resumption) -> None:
        connection.replayed_until = resumption.live_after
        connection.queued_frames = self._encode_missed(resumption.missed, connection.user_id)
        # More than half of what may wait at all: reading again over REST is cheaper for both.
        size = sum(map(len, connection.queued_frames))
        if resumption.missed is None or size > self._push.buffer_bytes // 2:
            pos = self.bus_view.format_position(connection.user_id, resumption.live_after)
            connection.queued_frames = [encode_resync(pos)]
            self._metrics.resumes.labels("resync").inc()
        elif connection.queued_frames:
            self._metrics.resumes.labels("replayed").inc()
        if connection.queued_frames:
            self._with_queued.append(connection)
            self._flush()

    def _encode_missed(self, missed: list[PastEvent] | None, user_id: int) -> list[bytes]:
        pos = self.bus_view.format_position
        return [
            self._frames.encode(
                happened.event, conversation_id=peer_id, pos=pos(user_id, happened.position)
            )
            for happened in missed or ()
            for peer_id, user_ids in group_recipients(happened.event)
            if user_id in user_ids and not isinstance(happened.event, Disconnect)
        ]

    def _resync(self, shard: int) -> None:
        for connection in self.hub.find_by_shard(shard):
            self._queue(
                connection, encode_resync(self.bus_view.format_position(connection.user_id))
            )
            self._metrics.resyncs.inc()

    def _take(self, entry: Entry, *, at_once: bool) -> int:
        """Do what an event asks for on its connections; returns on how many."""
        match entry.event:
            case None:
                return 0
            case Disconnect(user_id=user_id):
                return self.disconnect_users((user_id,))
            case event:
                return self._write_event(entry, event, at_once=at_once)

    def _write_event(self, entry: Entry, event: Event, *, at_once: bool) -> int:
        position, count = entry.position, 0
        for peer_id, user_ids in group_recipients(event):
            frame = b""
            # One pass, and no list of who is due: at ten thousand sockets memory is what costs.
            for connection in self.hub.find_by_users(entry.shard, user_ids):
                if connection.replayed_until is not None and not connection.is_due(position):
                    continue
                count += 1
                # Encoded for the first who is here: most events are for nobody on this process.
                frame = frame or self._encode_frame(entry, event, peer_id, user_ids)
                if at_once:
                    connection.write(frame)
                else:
                    self._queue(connection, frame)
        if at_once:
            self._metrics.frames.inc(count)
        if count and isinstance(event, NewMessage):
            self._trace(event, count=count, published=entry.position.ms / 1000)
        return count

    def _trace(self, event: NewMessage, *, count: int, published: float) -> None:
        """Say to how many sockets a message went, to whoever follows its request."""
        id = event.message.id
        if self._tracing is not None:
            self._tracing.note("push", event.origin, since=published, message_id=id, sockets=count)
        if log.isEnabledFor(logging.DEBUG):
            extra = {"request_id": Origin.of(event.origin).request_id}
            log.debug("push: message %d to %d sockets", id, count, extra=extra)

    def _queue(self, connection: Connection, frame: bytes) -> None:
        if not connection.queued_frames:
            self._with_queued.append(connection)
        connection.queued_frames.append(frame)

    def _flush(self) -> None:
        dirty, self._with_queued = self._with_queued, []
        written = sum(connection.flush() for connection in dirty if connection.queued_frames)
        self._metrics.frames.inc(written)

    def _encode_frame(
        self, entry: Entry, event: Event, peer_id: int, user_ids: Sequence[int]
    ) -> bytes:
        """The frame of an event for these people; one person's carries a position that is theirs alone."""
        if len(user_ids) == 1:
            pos = self.bus_view.format_position(user_ids[0], entry.position)
        else:
            pos = self.bus_view.format_shared_position(entry.shard, entry.position)
        return self._frames.encode(event, conversation_id=peer_id, pos=pos)

    def _observe_delays(self, fresh: list[Entry]) -> None:
        now = time.time()
        for entry in fresh:
            self._metrics.published_to_frame.observe(now - entry.position.ms / 1000)
            if isinstance(entry.event, NewMessage):
                accepted_at = entry.event.message.created_at.timestamp()
                self._metrics.accepted_to_frame.observe(now - accepted_at)


def _find_silent(theirs: list[Connection], *, loop_now: float) -> Connection | None:
    """The one that has been silent longest, if it has missed a heartbeat."""
    longest = min(theirs, key=lambda one: one.socket.heard_at)
    return longest if loop_now - longest.socket.heard_at >= HEARTBEAT_MISSED_SECONDS else None


def _find_repeated(shards: Iterable[int]) -> set[int]:
    return {shard for shard, count in Counter(shards).items() if count > 1}
