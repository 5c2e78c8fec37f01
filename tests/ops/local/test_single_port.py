"""Both doors behind one port, with small apps in their place."""

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


def an_app(name: str, story: list[str], *, status: int = 200, fails: bool = False) -> Starlette:
    """An app that says its name, and notes when it opens and closes."""

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


def a_front(story: list[str], **changes: Any) -> SinglePort:
    """A front of two such apps."""
    return SinglePort(ingest=an_app("ingest", story), push_gateway=an_app("push", story, **changes))


def test_each_path_goes_to_its_door() -> None:
    """Sockets and /api/v1/ws/ are push gateway's, the rest is ingest's, each with its own state."""
    with TestClient(a_front([])) as client:
        assert client.get("/api/v1/messages/").text == "ingest\n"
        assert client.post("/api/v1/ws/tickets").status_code == 405
        assert client.get("/api/v1/ws/tickets").text == "push\n"
        with client.websocket_connect("/api/v1/ws/messages") as socket:
            assert socket.receive_text() == "push"


def test_the_door_that_takes_work_opens_first_and_closes_last() -> None:
    """Both lifespans run, and sockets are closed before ingest is."""
    story: list[str] = []
    with TestClient(a_front(story)):
        pass
    assert story == ["ingest opens", "push opens", "push closes", "ingest closes"]


def test_metrics_are_those_of_both() -> None:
    """One scrape sees both doors."""
    with TestClient(a_front([])) as client:
        assert client.get("/metrics").text == "ingest\npush\n"


def test_metrics_of_the_workers_follow() -> None:
    """Who has no door is heard all the same, but only about metrics."""
    front = SinglePort(
        ingest=an_app("ingest", []), push_gateway=an_app("push", []), more_metrics=lambda: b"more\n"
    )
    with TestClient(front) as client:
        assert client.get("/metrics").text == "ingest\npush\nmore\n"
        assert "more" not in client.get("/readyz").text


def test_ready_is_who_has_no_door_that_is_not() -> None:
    """A push gateway that is not ready makes the whole not ready."""
    with TestClient(a_front([], status=503)) as client:
        assert client.get("/readyz").status_code == 503


def test_a_door_that_does_not_open_stops_the_start() -> None:
    """When one door fails to open, the other is closed again and the server is told."""
    story: list[str] = []
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(a_front(story, fails=True)({"type": "lifespan"}, receive, send))
    assert [message["type"] for message in said] == ["lifespan.startup.failed"]
    assert "no key" in said[0]["message"]
    assert story == ["ingest opens", "push opens", "ingest closes"]
