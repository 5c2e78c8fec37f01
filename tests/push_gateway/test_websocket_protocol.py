"""The protocol class under other apps, and what of a handshake reaches the logs."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from push_gateway.sockets.frame_socket import EXTENSION
from push_gateway.websocket_protocol import FrameWebSocketProtocol
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import PROTOCOL, Gateway, token
from tests.push_gateway.wire import PING, TEXT, frame

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

ECHO = """
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.responses import JSONResponse

async def echo(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)

async def ready(request):
    return JSONResponse({})

async def crash(websocket):
    raise RuntimeError("on purpose")

def create_app():
    routes = [WebSocketRoute("/echo", echo), WebSocketRoute("/crash", crash)]
    return Starlette(routes=[*routes, Route("/readyz", ready)])
"""


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Another app under our protocol class, with uvicorn's defaults otherwise."""
    folder: Path = tmp_path_factory.mktemp("echo")
    (folder / "echo_app.py").write_text(ECHO)
    server = Gateway(
        "redis://unused",
        folder / "echo.log",
        {"PYTHONPATH": f"{folder}:."},
        arguments=(),
        app="echo_app:create_app",
    )
    yield server.start()
    server.part()
    server.kill()


def test_an_app_that_knows_nothing_of_us_works_as_ever(echo: Gateway) -> None:
    """It gets every message, `ping` included; compression is not agreed to though offered."""
    client = echo.open(f"ws://127.0.0.1:{echo.port}/echo?token={token(1)}", deflate=True)
    for text in ("ping", "你好", "x" * 65_536):
        client.socket.send(text)
        assert client.socket.recv(timeout=10) == text
    assert client.socket.protocol.extensions == []


def test_neither_accepted_nor_refused_targets_show_their_query(echo: Gateway) -> None:
    """Uvicorn logs the target of every WebSocket, but ours without tokens: also when an app fails."""
    secret = token(1)
    client = echo.open(f"ws://127.0.0.1:{echo.port}/echo?token={secret}")
    client.socket.send("x")
    client.socket.recv(timeout=10)
    for path in ("crash", "nowhere"):
        with pytest.raises(Exception, match="server rejected"):
            echo.open(f"ws://127.0.0.1:{echo.port}/{path}?token={secret}")
    logged = echo.log.read_text()
    assert '"WebSocket /echo" [accepted]' in logged
    assert "on purpose" in logged
    assert secret not in logged
    assert "token=" not in logged


@pytest.mark.parametrize("level", ["info", "debug", "trace"])
def test_no_log_of_the_gateway_holds_a_credential(launch: Launch, level: str) -> None:
    """With the access log on and at any level: no token and no ticket (fault row 34)."""
    gateway = launch("--log-level", level, CARILLON_ORIGINS="")
    secret, bad = token(1), token(2, ttl_seconds=-1)
    gateway.connect(1).ping()
    gateway.open(gateway.url(), additional_headers={"Authorization": f"Bearer {secret}"}).ping()
    gateway.open(gateway.url(), subprotocols=["bearer", secret]).ping()
    gateway.get(f"/api/v1/ws/messages?token={secret}&ticket=tell-nobody")
    for url in (gateway.url(token=bad), gateway.url(ticket="tell-nobody"), gateway.url(token="x")):
        with pytest.raises(Exception, match="server rejected"):
            gateway.open(url)
    gateway.part()
    gateway.stop()
    logged = gateway.log.read_text()
    assert "/api/v1/ws/messages" in logged
    assert secret not in logged
    assert bad not in logged
    assert "tell-nobody" not in logged
    assert not re.search(r"eyJ[\w-]+\.[\w-]+", logged)


def test_the_class_is_named_as_documented() -> None:
    """The name given to uvicorn's --ws is importable."""
    module, _, name = PROTOCOL.partition(":")
    assert name in vars(__import__(module, fromlist=[name]))


class Wire(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reads = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember it."""
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def is_closing(self) -> bool:
        """Never."""
        return False

    def pause_reading(self) -> None:
        """Remember it."""
        self.reads = False

    def resume_reading(self) -> None:
        """Remember it."""
        self.reads = True


class Owner:
    """Remembers what goes through it."""

    def __init__(self) -> None:
        self.told: list[bytes | int] = []

    def write(self, data: bytes) -> None:
        """See Owner."""
        self.told.append(data)

    def on_closed(self, code: int) -> None:
        """See Owner."""
        self.told.append(code)

    def on_overrun(self) -> None:
        """See Owner."""


def test_nothing_is_read_while_a_handshake_is_checked() -> None:
    """A client has nothing to say before it is let in, and cannot flood by then."""
    wire, is_checked = Wire(), asyncio.Event()

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        await is_checked.wait()
        await receive()
        await send({"type": "websocket.accept"})
        scope["extensions"][EXTENSION].take_over(Owner(), buffer_bytes=1000)

    async def story() -> None:
        config = Config(take, ws=PROTOCOL, log_config=None)
        config.load()
        protocol = FrameWebSocketProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(wire)
        protocol.data_received(HANDSHAKE)
        await asyncio.sleep(0)
        assert not wire.reads
        is_checked.set()
        while protocol.tasks:  # noqa: ASYNC110 (turns of the loop, not time)
            await asyncio.sleep(0)
        assert wire.reads

    asyncio.run(story())


def test_after_a_takeover_every_write_goes_through_the_owner() -> None:
    """Pongs of both kinds and the close frame too, or they could come into the middle of a frame."""
    owner, wire = Owner(), Wire()

    async def take(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        scope["extensions"][EXTENSION].take_over(owner, buffer_bytes=1000)

    async def story() -> None:
        config = Config(take, ws=PROTOCOL, log_config=None)
        config.load()
        protocol = FrameWebSocketProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(wire)
        protocol.data_received(HANDSHAKE)
        while protocol.tasks:  # noqa: ASYNC110 (turns of the loop, not time)
            await asyncio.sleep(0)
        protocol.data_received(frame(PING, b"1") + frame(TEXT, b"ping"))
        protocol.close(1012, "")
        protocol.close(1012, "")

    asyncio.run(story())
    [accepted] = wire.written
    assert accepted.startswith(b"HTTP/1.1 101")
    assert owner.told == [b"\x8a\x011", b"\x81\x04pong", b"\x88\x02\x03\xf4", 1012]
