"""What `bench-push` measures: our gateway, the bare loop, and plain uvicorn, each with its client."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psutil

from ops.bench.bench_environment import make_uvicorn_command, run_children
from ops.bench.push_floor import FRAME_BYTES
from ops.local.child import Child, Program
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from storage.keys.tokens import TokenSettings, issue_token
from storage.model.event import Event, NewMessage
from storage.model.message import ContentType, Message, MessageType
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings

SECRET = "a secret of the bench that need not be kept"


class LoadClient:
    """The client process (`ops/bench/push_client.py`) and the sockets it holds."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "ops.bench.push_client"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def order(self, **order: Any) -> None:
        """Tell the client what to do; returns at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")

    def read_answer(self) -> dict[str, Any]:
        """What the client measured; waits until it has done what it was told."""
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def connect(self, port: int, targets: Sequence[str]) -> float:
        """Open a socket for every target; returns handshakes a second."""
        self.order(do="connect", host="127.0.0.1", port=port, targets=list(targets))
        return float(len(targets) / self.read_answer()["seconds"])

    def close(self) -> None:
        """End the client and all its sockets."""
        self._process.kill()
        self._process.communicate()


@dataclass
class Server:
    """Something that writes frames to every socket of `load`: `fire(n)` starts n of them."""

    load: LoadClient
    sockets: int
    pid: int
    fire: Callable[[int], None]


def measure_cpu_seconds(process: psutil.Process) -> float:
    """The CPU seconds that a process and those it started have used so far."""
    all_times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(times.user + times.system for times in all_times))


def make_event(user_ids: Sequence[int], number: int) -> Event:
    """A notification whose frame has about as many bytes as the floor's."""
    message = Message(
        id=(1 << 52) + number,
        sender_id=None,
        receiver_id=None,
        app_id=7,
        app_name="OA",
        sent_by_app_id=7,
        type=MessageType.NOTIFICATION,
        content_type=ContentType.TEXT,
        title="bench",
        content="x" * (FRAME_BYTES - 360),
        action_url=None,
        action_text=None,
        is_broadcast=True,
        created_at=datetime.now(UTC),
    )
    return NewMessage(message, message.content, ((-7, tuple(user_ids)),), number)


class Publisher:
    """Publishes events to the people who have sockets; each event has a number of its own."""

    def __init__(self, bus: Bus, user_ids: Sequence[int]) -> None:
        self._bus, self._user_ids, self._number = bus, user_ids, 0

    def publish_to_all(self, events: int) -> None:
        """Publish so many events, each to everyone."""
        self._publish([self._user_ids] * events)

    def publish_to_each(self) -> None:
        """Publish one event for each person, to that person alone."""
        for start in range(0, len(self._user_ids), 500):
            self._publish([(user_id,) for user_id in self._user_ids[start : start + 500]])

    def _publish(self, audiences: Sequence[Sequence[int]]) -> None:
        events = []
        for audience in audiences:
            self._number += 1
            events.append(make_event(audience, self._number))
        self._bus.publish(events)


@contextmanager
def run_gateway(folder: Path, *, workers: int) -> Iterator[tuple[Child, int, ValkeySettings]]:
    """Run a gateway of so many processes on a Valkey of its own in this block; gives its process, its port and its Valkey."""
    valkey, port = EmbeddedValkey(folder / "valkey"), find_free_port()
    valkey.start()
    environ = {
        "CARILLON_VALKEY_URL": valkey.url,
        "CARILLON_JWT_SECRET": SECRET,
        "CARILLON_PUSH_SILENCE_SECONDS": "86400",  # the client says nothing
        "PYTHONPATH": ".",
    }
    command = make_uvicorn_command("push_gateway.app:create_app", port)
    command += ["--ws", "push_gateway.websocket_protocol:FrameWebSocketProtocol"]
    command += ["--workers", str(workers)]
    child = Child(Program("gateway", command, environ, folder / "gateway.log"))
    try:
        with run_child(child, f"http://127.0.0.1:{port}/readyz"):
            yield child, port, ValkeySettings(valkey.url)
    finally:
        valkey.kill()


@contextmanager
def run_child(child: Child, url: str) -> Iterator[None]:
    """Run a child in this block, which begins when `url` answers 200."""
    with run_children([child]):
        if not wait_until(lambda: _is_up(url), seconds=60):
            raise RuntimeError(f"{child.name} does not answer: {child.log.read_text()[-2000:]}")
        yield


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == HTTPStatus.OK
    except httpx.HTTPError:
        return False


@contextmanager
def run_ours(
    folder: Path, sockets: int, *, workers: int = 1
) -> Iterator[tuple[Server, Publisher, dict[str, float]]]:
    """Run our gateway with its sockets in this block; gives also a publisher, and what `open_sockets` measured."""
    user_ids = range(1, sockets + 1)
    tokens = TokenSettings(secret=SECRET)
    now = time.time()
    shown = [issue_token(tokens, user_id, ttl_seconds=7200, now=now) for user_id in user_ids]
    targets = [f"/api/v1/ws/messages?token={token}" for token in shown]
    with run_gateway(folder, workers=workers) as (child, port, valkey), ExitStack() as stack:
        load = LoadClient()
        stack.callback(load.close)
        publisher = Publisher(Bus(BusSettings(length=1000), valkey), user_ids)
        found = open_sockets(load, child, port, targets)
        assert child.pid is not None
        yield Server(load, sockets, child.pid, publisher.publish_to_all), publisher, found


@contextmanager
def run_floor(sockets: int) -> Iterator[Server]:
    """Run the bare loop of writes with so many sockets in this block."""
    port = find_free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.bench.push_floor", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    orders, answers = process.stdin, process.stdout
    answers.readline()

    def fire(events: int) -> None:
        orders.write(f"{events}\n")

    load = LoadClient()
    try:
        load.connect(port, ["/"] * sockets)
        yield Server(load, sockets, process.pid, fire)
    finally:
        load.close()
        process.kill()
        process.communicate()


def measure_plain(folder: Path, sockets: int) -> dict[str, float]:
    """What `open_sockets` measures of uvicorn's own WebSocket class with an app that does nothing."""
    port = find_free_port()
    command = make_uvicorn_command("ops.bench.push_floor:create_app", port, http="httptools")
    command += ["--ws", "websockets-sansio"]
    child = Child(Program("plain", command, {"PYTHONPATH": "."}, folder / "plain.log"))
    load = LoadClient()
    try:
        with run_child(child, f"http://127.0.0.1:{port}/"):
            return open_sockets(load, child, port, ["/"] * sockets)
    finally:
        load.close()


def open_sockets(
    load: LoadClient, child: Child, port: int, targets: Sequence[str]
) -> dict[str, float]:
    """Open all sockets; returns handshakes a second, and bytes and CPU seconds a socket, of `child` (of its first process)."""
    assert child.pid is not None
    process = psutil.Process(child.pid)
    before, cpu = process.memory_info().rss, measure_cpu_seconds(process)
    rate = load.connect(port, targets)
    grown, spent = process.memory_info().rss - before, measure_cpu_seconds(process) - cpu
    return {"connects": rate, "bytes": grown / len(targets), "cpu": spent / len(targets)}
