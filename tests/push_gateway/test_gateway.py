"""The sweep of the gateway, with the clocks in the test's hands, and its end."""

import asyncio
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from push_gateway.app import ended
from push_gateway.connection import Connection
from push_gateway.gateway import Gateway
from push_gateway.metrics import Metrics
from push_gateway.settings import load_settings
from push_gateway.websocket_protocol import Owner
from tests.push_gateway.running import SECRET

ENVIRON = {"CARILLON_VALKEY_URL": "redis://nowhere", "CARILLON_JWT_SECRET": SECRET}


@dataclass
class Socket:
    """A FrameSocket that remembers what was asked of it."""

    heard_at: float = 0.0
    asked: list[str] = field(default_factory=list)

    def take_over(self, owner: Owner, *, buffer_bytes: int) -> None:
        """See FrameSocket."""

    def write(self, data: bytes) -> None:
        """See FrameSocket."""
        self.asked.append(f"{len(data)} bytes")

    def buffered(self) -> int:
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
    gateway = Gateway(load_settings(ENVIRON), Metrics(CollectorRegistry()))
    connection = Connection(user_id=7, socket=socket, keeper=gateway, expires_at=expires_at)
    gateway.hub.add(connection)
    gateway.sweep(now=now, loop_now=loop_now)
    return socket.asked


def test_a_client_is_pinged_when_silent_for_half_the_time_and_closed_after_all_of_it() -> None:
    """Of 90 seconds (contract §5): 44 nothing, 45 a ping, 89 a ping, 90 the end."""
    asked = [swept(Socket(), now=0, loop_now=silent) for silent in (0, 44, 45, 89, 90)]
    assert asked == [[], [], ["ping"], ["ping"], ["4400"]]


def test_a_token_s_end_closes_a_lively_client() -> None:
    """4401 from the instant the token ends."""
    assert swept(Socket(), now=99.9, loop_now=0, expires_at=100) == []
    assert swept(Socket(), now=100, loop_now=0, expires_at=100) == ["4401"]


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
            await ended(tasks)
        assert all(task.done() for task in tasks)
        assert isinstance(tasks[1].exception(), ValueError)

    asyncio.run(story())
