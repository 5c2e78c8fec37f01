"""The floors of `bench-push`: a bare loop of writes, and uvicorn's own class with an app that holds on.

`python -m ops.bench.push_floor PORT` answers every handshake with the same bytes and, for each line
on stdin (a number), writes one ready-made frame that often to every socket: one `send` each, no event
loop, no bus, no JSON.
"""

import socket
import sys
import threading
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from push_gateway.sockets.frame_socket import encode_text_frame
from storage.process import open_files

FRAME_BYTES = 500
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def create_app() -> Starlette:
    """Accepts every socket and waits: what plain uvicorn does before any work of ours."""
    return Starlette(routes=[WebSocketRoute("/", _hold_socket), Route("/", _answer_get)])


async def _hold_socket(websocket: WebSocket) -> None:
    await websocket.accept()
    async for _ in websocket.iter_text():
        pass


async def _answer_get(_: Request) -> Response:
    return PlainTextResponse("")


def _accept(listener: socket.socket, accepted: list[socket.socket]) -> None:
    while True:
        raw, _ = listener.accept()
        raw.recv(4096)
        raw.sendall(ACCEPTED)
        accepted.append(raw)


def main() -> None:
    """Serve until stdin ends; after each round, its CPU seconds go to stdout."""
    open_files.raise_limit()
    accepted: list[socket.socket] = []
    frame = encode_text_frame(b"x" * FRAME_BYTES)
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096) as listener:
        threading.Thread(target=_accept, args=(listener, accepted), daemon=True).start()
        print("ready", flush=True)
        for line in sys.stdin:
            busy = time.process_time()
            for _ in range(int(line)):
                for raw in accepted:
                    raw.send(frame)
            print(time.process_time() - busy, flush=True)


if __name__ == "__main__":
    main()
