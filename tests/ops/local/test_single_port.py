"""One port for ingest and the push gateway, with small apps in their place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocket

from ops.local.single_port import SinglePort

pytestmark = pytest.mark.quick


def make_app(name: str, story: list[str], *, status: int = 200, fails: bool = False) -> Starlette:
    """An app that says its name, and notes in `story` when it starts and stops."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
        story.append(f"{name} opens")
        if fails:
            raise RuntimeError("no key")
        yield {"name": name}
        story.append(f"{name} closes")

    async def say(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.state.name}\n", status_code=status)

    async def say_to_socket(socket: WebSocket[Any]) -> None:
        await socket.accept()
        await socket.send_text(socket.state.name)
        await socket.close()

    routes = [Route("/{path:path}", say), WebSocketRoute("/{path:path}", say_to_socket)]
    return Starlette(routes=routes, lifespan=lifespan)


def make_single_port(story: list[str], **changes: Any) -> SinglePort:
    """A single port of two such apps."""
    return SinglePort(
        ingest=make_app("ingest", story), push_gateway=make_app("push", story, **changes)
    )


def test_each_path_goes_to_its_app() -> None:
    """WebSockets and /api/v1/ws/ go to the push gateway, the rest to ingest, each with its own state."""
    with TestClient(make_single_port([])) as client:
        assert client.get("/api/v1/messages/").text == "ingest\n"
        assert client.post("/api/v1/ws/tickets").status_code == 405
        assert client.get("/api/v1/ws/tickets").text == "push\n"
        with client.websocket_connect("/api/v1/ws/messages") as socket:
            assert socket.receive_text() == "push"


def test_ingest_starts_first_and_stops_last() -> None:
    """Both lifespans run; the push gateway stops before ingest does."""
    story: list[str] = []
    with TestClient(make_single_port(story)):
        pass
    assert story == ["ingest opens", "push opens", "push closes", "ingest closes"]


def test_metrics_are_those_of_both() -> None:
    """One scrape has the metrics of both apps."""
    with TestClient(make_single_port([])) as client:
        assert client.get("/metrics").text == "ingest\npush\n"


def test_metrics_of_the_workers_follow() -> None:
    """The metrics of processes without HTTP come after those of the apps, and only at /metrics."""
    app = SinglePort(
        ingest=make_app("ingest", []),
        push_gateway=make_app("push", []),
        more_metrics=lambda: b"more\n",
    )
    with TestClient(app) as client:
        assert client.get("/metrics").text == "ingest\npush\nmore\n"
        assert "more" not in client.get("/readyz").text


def test_the_whole_is_not_ready_while_one_app_is_not() -> None:
    """/readyz is 503 while the push gateway is not ready, although ingest is."""
    with TestClient(make_single_port([], status=503)) as client:
        assert client.get("/readyz").status_code == 503


def test_an_app_that_does_not_start_ends_the_start() -> None:
    """If one app does not start, the one before it is stopped again, and the server is told why."""
    story: list[str] = []
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(make_single_port(story, fails=True)({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in said] == ["lifespan.startup.failed"]
    assert "no key" in said[0]["message"]
    assert story == ["ingest opens", "push opens", "ingest closes"]
