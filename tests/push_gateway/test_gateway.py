"""The sweep of the gateway, with the clocks in the test's hands, and its end."""

import asyncio
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from push_gateway.background_tasks import cancel_all
from push_gateway.connection import Connection
from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.settings import load_settings
from push_gateway.sockets.frame_socket import SocketOwner
from storage.model.errors import OverLimit
from tests.push_gateway.running import SECRET

pytestmark = pytest.mark.pure

ENVIRON = {"CARILLON_VALKEY_URL": "redis://nowhere", "CARILLON_JWT_SECRET": SECRET}


@dataclass
class Socket:
    """A FrameSocket that remembers what was asked of it."""

    heard_at: float = 0.0
    asked: list[str] = field(default_factory=list)

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> None:
        """See FrameSocket."""

    def write(self, data: bytes) -> None:
        """See FrameSocket."""
        self.asked.append(f"{len(data)} bytes")

    def count_buffered(self) -> int:
        """See FrameSocket."""
        return 0

    def ping(self) -> None:
        """See FrameSocket."""
        self.asked.append("ping")

    def close(self, code: int, reason: str) -> None:
        """See FrameSocket."""
        self.asked.append(str(code))


def swept(socket: Socket, *, now: float, loop_now: float, expires_at: float = 1e12) -> list[str]:
    """What one sweep asks of a socket."""
    gateway = Gateway(load_settings(ENVIRON), GatewayMetrics(CollectorRegistry()))
    connection = Connection(user_id=7, socket=socket, owner=gateway, expires_at=expires_at)
    gateway.hub.add(connection)
    gateway.close_expired_and_silent(now=now, loop_now=loop_now)
    return socket.asked


def test_a_client_is_pinged_when_silent_for_half_the_time_and_closed_after_all_of_it() -> None:
    """Of 90 seconds (contract §5): 44 nothing, 45 a ping, 89 a ping, 90 the end."""
    asked = [swept(Socket(), now=0, loop_now=silent) for silent in (0, 44, 45, 89, 90)]
    assert asked == [[], [], ["ping"], ["ping"], ["4400"]]


def test_a_token_s_end_closes_a_lively_client() -> None:
    """4401 from the instant the token ends."""
    assert swept(Socket(), now=99.9, loop_now=0, expires_at=100) == []
    assert swept(Socket(), now=100, loop_now=0, expires_at=100) == ["4401"]


def fill_up(*heard_at: float) -> tuple[Gateway, list[Socket]]:
    """A gateway on which person 7 has sockets that were last heard at these times, and may have no more."""
    environ = ENVIRON | {"CARILLON_PUSH_CONNECTIONS_PER_USER": str(len(heard_at))}
    gateway = Gateway(load_settings(environ), GatewayMetrics(CollectorRegistry()))
    sockets = [Socket(heard_at=at) for at in heard_at]
    for socket in sockets:
        gateway.hub.add(Connection(user_id=7, socket=socket, owner=gateway, expires_at=1e12))
    return gateway, sockets


def admit(gateway: Gateway, *, loop_now: float) -> list[str]:
    """What is asked of the socket of one more client of person 7."""
    gateway.bus_view.generation = "00000000"
    socket = Socket(heard_at=loop_now)
    connection = Connection(user_id=7, socket=socket, owner=gateway, expires_at=1e12)
    gateway.admit(
        connection, since=None, position_at_check=gateway.resume_position(7), loop_now=loop_now
    )
    return socket.asked


def test_who_has_missed_a_heartbeat_makes_room() -> None:
    """Over the limit of a person: of those silent for 40 s the longest silent is closed with 4501, and no other."""
    gateway, sockets = fill_up(100, 20, 10, 90)
    gateway.check_user_limit(7, loop_now=60)
    [hello] = admit(gateway, loop_now=60)
    assert hello.endswith("bytes")
    assert [socket.asked for socket in sockets] == [[], [], ["4501"], []]
    assert len(gateway.hub) == 4


def test_while_all_are_alive_the_new_one_is_refused() -> None:
    """OverLimit before the upgrade, with the time until one may have given up; after it (two at once) 1013."""
    gateway, sockets = fill_up(100, 30, 50)
    with pytest.raises(OverLimit) as caught:
        gateway.check_user_limit(7, loop_now=69)
    assert caught.value.retry_after_seconds == 1
    gateway.check_user_limit(8, loop_now=69)
    assert admit(gateway, loop_now=69) == ["1013"]
    assert [socket.asked for socket in sockets] == [[], [], []]
    gateway.check_user_limit(7, loop_now=70)


def test_tasks_end_though_they_drop_a_cancellation() -> None:
    """As asyncio.wait_for does before Python 3.12; those that have ended or failed hold nobody up."""

    async def deaf() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        await asyncio.sleep(60)

    async def failing() -> None:
        raise ValueError("It failed.")

    async def story() -> None:
        tasks = [asyncio.create_task(work()) for work in (deaf, failing, deaf)]
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await cancel_all(tasks)
        assert all(task.done() for task in tasks)
        assert isinstance(tasks[1].exception(), ValueError)

    asyncio.run(story())
