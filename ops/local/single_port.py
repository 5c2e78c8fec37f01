"""Both doors behind one port, as one ASGI app: what `carillon up` serves.

In production each door is a process of its own (docs/operations/deploy.md) and this is not used. Sockets and the paths
under `/api/v1/ws/` are push gateway's, everything else is ingest's; each keeps its own lifespan state.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops.local import aggregate_endpoints
from ops.local.stack import worker_metrics_folder
from storage.process.logs import LogSettings, configure
from storage.process.metrics_export import export_folder
from storage.settings import DataFolder, load

PUSH_PREFIX = "/api/v1/ws/"


class MountedApp:
    """One app and its lifespan, driven through the ASGI protocol like a server does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.state: dict[str, Any] = {}
        self._orders: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    def scope(self, scope: Scope) -> Scope:
        """`scope` as this app must see it: with its own state."""
        return {**scope, "state": self.state.copy()}

    async def open(self) -> Message:
        """Run the app's startup; returns its answer, `lifespan.startup.complete` or `.failed`."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        self._running = asyncio.create_task(
            self._run(scope), name=f"lifespan of {type(self.app).__name__}"
        )
        await self._orders.put({"type": "lifespan.startup"})
        return await self._answers.get()

    async def close(self) -> Message:
        """Run the app's shutdown; returns its answer. At once if it never opened."""
        if self._running is None:
            return {"type": "lifespan.shutdown.complete"}
        await self._orders.put({"type": "lifespan.shutdown"})
        answer = await self._answers.get()
        await self._running
        return answer

    async def _run(self, scope: Scope) -> None:
        try:
            await self.app(scope, self._orders.get, self._answers.put)
        except Exception as error:  # noqa: BLE001 (a door that fails must not leave the server waiting)
            failed = {
                "type": "lifespan.startup.failed",
                "message": f"{type(error).__name__}: {error}",
            }
            await self._answers.put(failed)
        else:
            await self._answers.put({"type": "lifespan.shutdown.complete"})


class SinglePort:
    """Routes every scope to the door that knows it."""

    def __init__(
        self,
        *,
        ingest: ASGIApp,
        push_gateway: ASGIApp,
        more_metrics: Callable[[], bytes] = lambda: b"",
    ) -> None:
        self._more_metrics = more_metrics
        self._ingest = MountedApp(ingest)
        self._push_gateway = MountedApp(push_gateway)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] == "lifespan":
            # Sockets are closed before the door that takes new work.
            await _lifespan([self._ingest, self._push_gateway], receive, send)
            return
        if scope["type"] == "http" and scope["path"] in aggregate_endpoints.PATHS:
            doors = [(door.app, door.scope(scope)) for door in (self._ingest, self._push_gateway)]
            await aggregate_endpoints.send_aggregate(
                doors, receive, send, more_metrics=self._more_metrics
            )
            return
        door = self._push_gateway if is_push(scope) else self._ingest
        await door.app(door.scope(scope), receive, send)


def is_push(scope: Scope) -> bool:
    """Whether the push gateway serves this scope."""
    return scope["type"] == "websocket" or str(scope["path"]).startswith(PUSH_PREFIX)


async def _lifespan(doors: Sequence[MountedApp], receive: Receive, send: Send) -> None:
    await receive()
    opened: list[MountedApp] = []
    for door in doors:
        answer = await door.open()
        if answer["type"] != "lifespan.startup.complete":
            await _close(opened)
            await send({"type": "lifespan.startup.failed", "message": answer.get("message", "")})
            return
        opened.append(door)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _close(opened)
    await send({"type": "lifespan.shutdown.complete"})


async def _close(doors: Sequence[MountedApp]) -> None:
    for door in reversed(doors):
        await door.close()


def create_app() -> SinglePort:
    """The factory for uvicorn: both doors, with the settings of the process environment."""
    from ingest.app import create_app as ingest  # noqa: PLC0415 (a factory; import as late as it)
    from push_gateway.app import create_app as push_gateway  # noqa: PLC0415

    folder = worker_metrics_folder(load(DataFolder, os.environ).path)
    front = SinglePort(
        ingest=ingest(),
        push_gateway=push_gateway(),
        more_metrics=partial(export_folder, folder),
    )
    configure(load(LogSettings, os.environ), process="web")  # each has said what it is alone
    return front
