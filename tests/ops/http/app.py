"""A small app under our HTTP protocol class, in a process of its own, and a client of exact bytes."""

import json
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ops.local.polling import wait_until
from ops.local.ports import find_free_port

APP = """
import asyncio, json, os
from ops.http import connection, protocol, unread_body

for name, value in json.loads(os.environ["TEST_LIMITS"]).items():
    module = next(one for one in (protocol, connection, unread_body) if name in vars(one))
    setattr(module, name, value)

seen = {"requests": 0, "ended": 0, "disconnects": 0}
gate = asyncio.Event()  # what waits at it goes on with the next /go

async def app(scope, receive, send):
    assert scope["type"] == "http"
    seen["requests"] += 1
    try:
        await answer(scope, receive, send)
    finally:
        seen["ended"] += 1

async def answer(scope, receive, send):
    path, status, headers, content = scope["path"], 200, [], None
    if path == "/go":
        gate.set()
    if path == "/late":
        gate.clear()
        await gate.wait()
    if path in ("/body", "/slow", "/held", "/late"):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                seen["disconnects"] += 1
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
            body = body[:100]
        content = {"body": body.decode("latin-1"), "headers": [
            [name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]}
    if path == "/slow":
        await asyncio.sleep(0.3)
    if path == "/held":
        gate.clear()
        await gate.wait()
    if path.startswith("/early"):
        status, content = 401, {"detail": "early"}
        if path == "/early-close":
            headers = [(b"connection", b"close")]
    if path == "/large":
        content = {"x": "x" * 1_000_000}
    if path == "/seen":
        content = seen
    body = json.dumps({"path": path} if content is None else content).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

def create_app():
    return app
"""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Wire:
    """A connection, and what comes back over it."""

    def __init__(self, port: int, *, seconds: float = 20.0) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.stream = self.sock.makefile("rb")
        self.port = int(self.sock.getsockname()[1])

    def __enter__(self) -> "Wire":
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def send(self, *parts: bytes) -> None:
        """Write everything."""
        for part in parts:
            self.sock.sendall(part)

    def try_to_send(self, data: bytes) -> None:
        """Write as much as the server takes."""
        with suppress(OSError):
            self.sock.sendall(data)

    def answer(self) -> Answer:
        """The next answer; one with status 0 at the end."""
        line = self.stream.readline()
        if not line:
            return Answer(0, {}, b"")
        headers = {}
        while header := self.stream.readline().strip():
            name, _, value = header.decode("latin-1").partition(":")
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        return Answer(int(line.split()[1]), headers, self.stream.read(length))

    def ask(self, *parts: bytes) -> Answer:
        """Write, and the next answer."""
        self.send(*parts)
        return self.answer()

    def is_answered(self, *, seconds: float) -> bool:
        """Whether something comes within that time; it is not read."""
        return bool(select.select([self.sock], [], [], seconds)[0])

    def is_taken(self, *, seconds: float) -> bool:
        """Whether there is room to write more within that time."""
        return bool(select.select([], [self.sock], [], seconds)[1])

    def is_ended(self, *, seconds: float = 20.0) -> bool:
        """Whether the server says nothing more and closes in that time."""
        self.sock.settimeout(seconds)
        try:
            return self.stream.read(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Close it."""
        self.stream.close()
        self.sock.close()


@dataclass(frozen=True)
class Server:
    """The running process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def wire(self) -> Wire:
        """A new connection."""
        return Wire(self.port)

    def get(self, path: str, *, seconds: float = 20.0) -> Answer:
        """One GET on a connection of its own."""
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=seconds) as got:
                return Answer(got.status, dict(got.headers), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def has(self, wire: Wire) -> bool:
        """Whether the server has this connection, open or not."""
        ends = psutil.Process(self.process.pid).net_connections()
        return wire.port in {getattr(end.raddr, "port", 0) for end in ends}

    def unread(self, wire: Wire) -> int:
        """Bytes that have come over this connection and that the server has not read."""
        ends = f":{self.port:04X}", f":{wire.port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines():
            local, remote, _, queues = line.split()[1:5]
            if (local[-5:], remote[-5:]) == ends:
                return int(queues.partition(":")[2], 16)
        return 0

    def has_read(self, wire: Wire) -> bool:
        """Whether the server reads all that was written, within some seconds."""
        return wait_until(lambda: not self.unread(wire), seconds=10)

    def is_at_rest(self) -> bool:
        """Whether no request but the one that asks is under way, within some seconds."""

        def are_all_ended() -> bool:
            seen = self.get("/seen").json
            return bool(seen["requests"] == seen["ended"] + 1)

        return wait_until(are_all_ended, seconds=10)

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


@contextmanager
def run_server(folder: Path, *arguments: str, **limits: float) -> Iterator[Server]:
    """The app with these limits of `ops.http.protocol`, until the end of the block."""
    (folder / "http_app.py").write_text(APP)
    port, log = find_free_port(), folder / f"{time.monotonic_ns()}.log"
    command = [
        *(sys.executable, "-m", "uvicorn", "--factory", "http_app:create_app"),
        *("--port", str(port), "--http", "ops.http.protocol:HttpProtocol", "--loop", "uvloop"),
        *("--lifespan", "off", "--no-access-log", "--ws", "none", *arguments),
    ]
    environ = {"PYTHONPATH": f"{folder}:.", "TEST_LIMITS": json.dumps(limits), "PATH": "/usr/bin"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    server = Server(port, process, log)

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return server.get("/").status == 200
        except OSError:
            return False

    try:
        assert wait_until(is_up, seconds=20), log.read_text()
        yield server
    finally:
        process.kill()
        process.wait()
