"""Hostile connections of every kind against the running stack, and what another person sees (fault row 48)."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests.builders import add_people
from tests.journey.client import Client, Socket
from tests.ops.http.app import Wire
from tests.services import Stack

HOSTILE, SENDER, READER = 480_001, 480_002, 480_003
SECONDS = 6.0  # longer than the 5 s that uvicorn keeps connections by default
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEPT = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    """Clients of the shared stack, which has three people more."""
    engine = make_blocking_engine(load(DatabaseSettings, stack.environ), application_name="hostile")
    with engine.begin() as connection:
        add_people(connection, (HOSTILE, SENDER, READER))
    engine.dispose()
    with Client(stack) as client:
        yield client


@pytest.fixture(scope="module")
def port(stack: Stack) -> int:
    """The port of the shared stack."""
    return int(stack.environ["CARILLON_PORT"])


def measure_core_wait(*pids: int) -> float:
    """The seconds that these processes have waited for a core while they were ready to run (proc(5))."""
    texts = [Path(f"/proc/{pid}/schedstat").read_text() for pid in pids]
    return sum(int(text.split()[1]) for text in texts) / 1e9


def measure_seconds(ask: Callable[[], None], *, web: int) -> float:
    """How long `ask` takes, without what a busy machine made us or the process `web` wait for a core.

    That says nothing of the server: the tests around may have every core. Attackers are nicer than either, so it
    never waits for them.
    """
    pids = (web, os.getpid())
    began, waited = time.monotonic(), measure_core_wait(*pids)
    ask()
    return time.monotonic() - began - (measure_core_wait(*pids) - waited)


def send(sender: httpx.Client, socket: Socket, *, number: int) -> None:
    """Send a message and wait until the receiver's socket has it."""
    content = f"第{number}条"
    body = {"type": "MESSAGE", "title": "私信", "content": content, "receiver_id": READER}
    answer = sender.post("/messages/", json=body)
    assert answer.status_code == 200, answer.text
    assert socket.next_message()["content"] == content


def probe(port: int) -> None:
    """Ask /healthz over a new connection; fails unless it says 200."""
    with Wire(port) as wire:
        assert wire.ask(HEALTH).status == 200


def test_others_are_served_while_connections_are_hostile(client: Client, port: int) -> None:
    """Under hostile connections of every kind others get 200 and their frames in time, and a kept connection stays.

    Memory goes back to where it was.
    """
    web = psutil.Process(client.stack["web"].pid or 0)
    sender = client.user(SENDER)
    attackers = ["nice", "-n", "19", sys.executable, "-m", "tests.hostile.attack"]
    to_frame: list[float] = []
    to_health: list[float] = []
    with client.socket(READER) as socket, Wire(port) as kept:
        assert kept.ask(KEPT).status == 200
        send(sender, socket, number=0)
        before = web.memory_info().rss
        with subprocess.Popen([*attackers, str(port), client.token(HOSTILE)]) as attack:
            try:
                end = time.monotonic() + SECONDS
                while time.monotonic() < end:
                    one = partial(send, sender, socket, number=len(to_frame) + 1)
                    to_frame.append(measure_seconds(one, web=web.pid))
                    to_health.append(measure_seconds(partial(probe, port), web=web.pid))
                assert attack.poll() is None
            finally:
                attack.kill()
        assert kept.ask(KEPT).status == 200
        assert len(to_frame) > 1
        assert max(to_frame) < 2, to_frame
        assert max(to_health) < 0.5, to_health
        assert web.memory_info().rss - before < 48 * MIB


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /api/v1/ws/nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /api/v1/nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /api/v1/ws/tickets HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_errors_of_either_http_edge_are_json(port: int, request_: bytes, status: int) -> None:
    """Errors of ingest and of the gateway on one port are JSON with `detail`, and carry X-Request-Id."""
    with Wire(port) as wire:
        answer = wire.ask(request_)
        assert answer.status == status
        assert isinstance(answer.json["detail"], str)
        assert answer.headers["x-request-id"]
