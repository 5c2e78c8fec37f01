"""A real gateway for tests: uvicorn in a process of its own, and clients with real sockets."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from storage.keys.tokens import TokenSettings, issue_token
from storage.model.event import MessageUpdated, NewMessage
from storage.model.message import ContentType, Message, MessageType

SECRET = "a secret of the tests, long enough for HS256"
TOKENS = TokenSettings(secret=SECRET)
PATH = "/api/v1/ws/messages"
PROTOCOL = "push_gateway.websocket_protocol:FrameWebSocketProtocol"
SECONDS = 20.0


def token(user_id: int, *, ttl_seconds: float = 3600) -> str:
    """A token that the gateway under test accepts."""
    return issue_token(TOKENS, user_id, ttl_seconds=ttl_seconds, now=time.time())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Wait until `condition` holds; fails the test if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        time.sleep(0.01)


@dataclass
class Gateway:
    """One uvicorn process serving `push_gateway.app`, as in production."""

    valkey_url: str
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--no-access-log",)
    app: str = "push_gateway.app:create_app"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    clients: ExitStack = field(default_factory=ExitStack)

    def launch(self) -> "Gateway":
        """Start the process; its output goes to `log`."""
        environ = {**os.environ, "CARILLON_VALKEY_URL": self.valkey_url}
        environ |= {"CARILLON_JWT_SECRET": SECRET, **self.settings}
        command = [sys.executable, "-m", "uvicorn", "--factory", self.app]
        command += ["--http", "ops.http.protocol:HttpProtocol", "--timeout-keep-alive", "75"]
        command += ["--ws", PROTOCOL, "--port", str(self.port), *self.arguments]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        return self

    def start(self) -> "Gateway":
        """Start the process and wait until it is ready."""
        self.launch()
        wait_for(self.is_ready)
        return self

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return self.get("/readyz")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a plain GET; status 0 if nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """One sample of /metrics; 0 if it is not there."""
        lines = self.get("/metrics")[1].splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name + " ")), 0.0)

    def stop(self, *, seconds: float = SECONDS) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def url(self, **query: str) -> str:
        """The sockets' URL with a query string."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}{PATH}" + (f"?{text}" if text else "")

    def connect(self, user_id: int, *, ttl_seconds: float = 3600, **query: str) -> "Client":
        """A client of this user, token in the query."""
        return self.open(self.url(token=token(user_id, ttl_seconds=ttl_seconds), **query))

    def open(self, url: str, *, deflate: bool = False, **arguments: Any) -> "Client":
        """A client of any URL, with arguments of `websockets`; open until `part`, if not closed."""
        compression = "deflate" if deflate else None
        socket = connect(url, compression=compression, max_size=None, **arguments)
        return Client(self.clients.enter_context(socket))

    def part(self) -> None:
        """Close every client."""
        self.clients.close()


class Client:
    """A connected client."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._hello: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        """The frame that `frame` returned last."""

    @property
    def hello(self) -> dict[str, Any]:
        """The first frame of the connection, HELLO."""
        if not self._hello:
            self._hello = json.loads(self.socket.recv(timeout=SECONDS))
            assert self._hello["type"] == "HELLO", self._hello
        return self._hello

    def frame(self, *, seconds: float = SECONDS) -> dict[str, Any]:
        """The next frame after HELLO."""
        assert self.hello
        self.last = json.loads(self.socket.recv(timeout=seconds))
        return self.last

    def frames(self, count: int) -> list[dict[str, Any]]:
        """The next `count` frames."""
        return [self.frame() for _ in range(count)]

    def ids(self, count: int) -> list[int]:
        """The message ids of the next `count` frames."""
        return [frame["data"]["id"] for frame in self.frames(count)]

    def ping(self) -> None:
        """Wait until everything sent before has been answered."""
        assert self.hello
        self.socket.send("ping")
        answer = self.socket.recv(timeout=SECONDS)
        assert answer == "pong", answer

    def close_code(self, *, seconds: float = SECONDS) -> int:
        """The code that the gateway closes with; frames before it are dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.socket.recv(timeout=end - time.monotonic())
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006
        raise AssertionError(f"still open after {seconds} s")

    def close(self) -> None:
        """Leave in good order."""
        self.socket.close()


def a_message(number: int, *, sender_id: int | None = 1, receiver_id: int | None = 2) -> Message:
    """A private message."""
    return Message(
        id=number,
        sender_id=sender_id,
        receiver_id=receiver_id,
        app_id=None,
        app_name=None,
        sent_by_app_id=None,
        type=MessageType.MESSAGE,
        content_type=ContentType.TEXT,
        title="私信",
        content=f"第{number}条",
        action_url=None,
        action_text=None,
        is_broadcast=False,
        created_at=datetime(2026, 3, 18, 10, 10, 0, 999_999, UTC),
    )


def to_both(number: int, sender_id: int, receiver_id: int) -> NewMessage:
    """The event of a private message, to both people."""
    message = a_message(number, sender_id=sender_id, receiver_id=receiver_id)
    return NewMessage(
        message, message.content, ((sender_id, (receiver_id,)), (receiver_id, (sender_id,)))
    )


def to_all(number: int, user_ids: Iterable[int], *, part: int = 0) -> NewMessage:
    """The event of a broadcast of app 7 to these people."""
    message = a_message(number, sender_id=None, receiver_id=None)
    return NewMessage(message, message.content, ((-7, tuple(user_ids)),), part)


def put_in_form(event: NewMessage, version: int) -> NewMessage:
    """The event of a message as somebody publishes it who has read this version; its content says which."""
    content = event.content if version == 1 else f"{event.content}, {version}"
    number = None if version == 1 else version
    message = event.message._replace(content=content, version=number)
    return replace(event, message=message, content=content)


def update(event: NewMessage, version: int) -> MessageUpdated:
    """The event of a change of a message, to the same people."""
    form = put_in_form(event, version)
    return MessageUpdated(form.message, form.content, form.recipients, form.part)
