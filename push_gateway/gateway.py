"""The clients of one gateway process: who is let in, and when they have to go.

Everything here runs on the event loop's thread, and nothing awaits; what is written to clients is in `dispatcher.py`.
"""

from collections.abc import Iterable

from push_gateway.connection import Connection
from push_gateway.dispatcher import Dispatcher
from push_gateway.frames import FrameEncoder
from push_gateway.hub import Hub
from push_gateway.metrics import GatewayMetrics
from push_gateway.resume.bus_view import BusView
from push_gateway.settings import GatewaySettings
from storage.model.close_codes import REASONS, CloseCode
from storage.model.error_codes import ErrorCode
from storage.model.errors import OverLimit
from storage.model.event import Disconnect
from storage.process.tracing import Tracer
from storage.valkey.gateway_reports import GatewayCounts

READ_LIMIT = 500  # entries a shard in one read of the bus
# Clients send `ping` every 30 s (client document): one that is silent for longer than this has gone.
HEARTBEAT_MISSED_SECONDS = 40.0


class Gateway:
    """The clients of one process. `hub` has those who are let in, `dispatcher` writes to them."""

    def __init__(
        self, settings: GatewaySettings, metrics: GatewayMetrics, tracing: Tracer | None = None
    ) -> None:
        self._push = settings.push
        self._metrics = metrics
        self.hub: Hub[Connection] = Hub()
        self.bus_view = BusView(
            backlog_bytes=settings.push.backlog_bytes,
            kept_ms=int(settings.bus.kept.total_seconds() * 1000),
            limit=READ_LIMIT,
        )
        self.dispatcher = Dispatcher(
            self.hub,
            self.bus_view,
            FrameEncoder(settings.display.time_zone),
            metrics,
            disconnect=lambda user_id: self.disconnect_users((user_id,)),
            # As often as a silent client is pinged; and a position is told anew long before the bus forgets it.
            position_seconds=min(
                settings.push.silence.total_seconds() / 2,
                settings.bus.kept.total_seconds() / 4,
            ),
            tracing=tracing,
        )

    def resume_position(self, user_id: int) -> str:
        """The `pos` of a person now, for `admit`."""
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
                code=ErrorCode.TOO_MANY_SOCKETS,
            )

    def admit(
        self,
        connection: Connection,
        *,
        since: str | None,
        position_at_check: str,
        loop_now: float = 0.0,
    ) -> None:
        """Let in a client whose handshake is done: replay what it missed since `since`, then it is live.

        `position_at_check` is the `resume_position` from before it was checked that the person is not disabled: a
        person who was disabled after that is closed at once. `loop_now` is in seconds, by the event loop's clock.
        """
        if len(self.hub) >= self._push.connections:
            self.close(connection, CloseCode.OVER_CAPACITY)
            return
        recent = self.bus_view.resume(connection.user_id, position_at_check)
        if any(isinstance(past.event, Disconnect) for past in recent.missed or ()):
            self.close(connection, CloseCode.DISABLED)
            return
        if not self._make_place(connection.user_id, loop_now=loop_now):
            self.close(connection, CloseCode.OVER_CAPACITY)
            return
        self.hub.add(connection)
        self._metrics.sockets_open.set(len(self.hub))
        if since is not None:
            recent = self.bus_view.resume(connection.user_id, since)
        # More than half of what may wait for a client at all: reading again over REST is cheaper for both.
        self.dispatcher.welcome(connection, recent, most_bytes=self._push.buffer_bytes // 2)

    def close(self, connection: Connection, code: CloseCode) -> None:
        """Tell a client why it must go, and whether to come back; it gets nothing from here on."""
        self.hub.remove(connection)
        connection.queued_frames = []
        connection.socket.close(code, REASONS[code])

    def forget(self, connection: Connection, *, code: int) -> None:
        """Take note that a connection has gone, with this close code."""
        self.hub.remove(connection)
        self._metrics.sockets_open.set(len(self.hub))
        self._metrics.closes.labels(str(code)).inc()

    def close_expired_and_silent(self, *, now: float, loop_now: float) -> None:
        """Close the clients whose token has ended and those that are silent; to be called every second.

        `now` is Unix time, `loop_now` the event loop's clock, both in seconds. A client that has been silent for
        half the time is pinged: one that sends no `ping` of its own stays if its WebSocket answers.
        """
        silence = self._push.silence.total_seconds()
        count_buffered = 0
        for connection in list(self.hub):
            count_buffered += connection.socket.count_buffered()
            silent = loop_now - connection.socket.heard_at
            if now >= connection.expires_at:
                self.close(connection, CloseCode.TOKEN_EXPIRED)
            elif silent >= silence:
                self.close(connection, CloseCode.SILENT)
            elif silent >= silence / 2:
                connection.socket.ping()
        self._metrics.buffered_bytes.set(count_buffered)

    def find_user_ids(self, shard: int) -> set[int]:
        """The people of a shard who are connected here."""
        return {connection.user_id for connection in self.hub.find_by_shard(shard)}

    def disconnect_users(self, user_ids: Iterable[int]) -> int:
        """Close the connections of people who are disabled; returns how many those were."""
        count = 0
        for user_id in user_ids:
            for connection in self.hub.find_by_user(user_id):
                self.close(connection, CloseCode.DISABLED)
                count += 1
        return count

    def collect_counts(self) -> GatewayCounts:
        """How this process is doing; bytes that wait are as of the last `close_expired_and_silent`."""
        frames, count_buffered = (
            int(self._metrics.registry.get_sample_value(name) or 0)
            for name in ("carillon_frames_total", "carillon_socket_buffered_bytes")
        )
        return GatewayCounts(1, len(self.hub), frames, count_buffered)

    def _is_full(self, theirs: list[Connection]) -> bool:
        return len(theirs) >= self._push.connections_per_user

    def _make_place(self, user_id: int, *, loop_now: float) -> bool:
        """Close a silent connection of a person who has their number of sockets.

        False if there is none: another handshake of the same moment has taken the last place.
        """
        theirs = self.hub.find_by_user(user_id)
        if not self._is_full(theirs):
            return True
        silent = _find_silent(theirs, loop_now=loop_now)
        if silent is not None:
            self.close(silent, CloseCode.REPLACED)
        return silent is not None


def _find_silent(theirs: list[Connection], *, loop_now: float) -> Connection | None:
    """The one that has been silent longest, if it has missed a heartbeat."""
    longest = min(theirs, key=lambda one: one.socket.heard_at)
    return longest if loop_now - longest.socket.heard_at >= HEARTBEAT_MISSED_SECONDS else None
