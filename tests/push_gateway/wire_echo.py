"""An echo on the gateway's protocol class, in a process of its own: what the conformance cases talk to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.push_gateway.running import Gateway

APP = """
from push_gateway import websocket_protocol

websocket_protocol.MAX_INCOMING_BYTES = 32 << 20  # the cases go up to 16 MiB


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await send({**event, "type": "websocket.send"})


def create_app():
    return app
"""


@contextmanager
def echo_server(folder: Path) -> Iterator[Gateway]:
    """Serve in `folder`, until the end of the block."""
    (folder / "echo_any_size.py").write_text(APP)
    server = Gateway(
        "redis://unused",
        folder / "echo.log",
        {"PYTHONPATH": f"{folder}:."},
        arguments=("--ws-max-size", str(32 << 20), "--no-access-log", "--lifespan", "off"),
        app="echo_any_size:create_app",
    )
    try:
        yield server.start()
    finally:
        server.kill()
