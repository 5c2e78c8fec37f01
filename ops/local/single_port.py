"""Ingest and the push gateway behind one port, as one ASGI app: what `carillon up` serves.

In production each is a process of its own (docs/operations/deploy.md) and this is not used. WebSockets and the paths under
`/api/v1/ws/` are the push gateway's, everything else is ingest's; each keeps its own lifespan state.
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
    """One app and its lifespan, driven through the ASGI protocol as a server does it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._lifespan: asyncio.Task[None] | None = None

    def make_scope(self, scope: Scope) -> Scope:
        """`scope` as this app must see it: with a copy of its own state."""
        return {**scope, "state": self.state.copy()}

    async def start(self) -> Message:
        """Run the app's startup; returns its message, `lifespan.startup.complete` or `lifespan.startup.failed`."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        self._lifespan = asyncio.create_task(
            self._run_lifespan(scope), name=f"lifespan of {type(self.app).__name__}"
        )
        await self._to_app.put({"type": "lifespan.startup"})
        return await self._from_app.get()

    async def stop(self) -> Message:
        """Run the app's shutdown; returns its message. If the app was never started, nothing is run."""
        if self._lifespan is None:
            return {"type": "lifespan.shutdown.complete"}
        await self._to_app.put({"type": "lifespan.shutdown"})
        message = await self._from_app.get()
        await self._lifespan
        return message

    async def _run_lifespan(self, scope: Scope) -> None:
        try:
            await self.app(scope, self._to_app.get, self._from_app.put)
        except Exception as error:  # noqa: BLE001 (an app that fails must not leave the server waiting)
            failed = {
                "type": "lifespan.startup.failed",
                "message": f"{type(error).__name__}: {error}",
            }
            await self._from_app.put(failed)
        else:
            await self._from_app.put({"type": "lifespan.shutdown.complete"})


class SinglePort:
    """An ASGI app that passes every scope on to the app that serves it."""

    def __init__(
        self,
        *,
        ingest: ASGIApp,
        push_gateway: ASGIApp,
        more_metrics: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """`more_metrics` returns what `/metrics` shows of processes that serve no HTTP."""
        self._more_metrics = more_metrics
        self._ingest = MountedApp(ingest)
        self._push_gateway = MountedApp(push_gateway)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        apps = (self._ingest, self._push_gateway)
        if scope["type"] == "lifespan":
            await _run_lifespans(apps, scope, receive, send)
        elif _is_aggregate(scope):
            asked = [(one.app, one.make_scope(scope)) for one in apps]
            await aggregate_endpoints.send_aggregate(
                asked, receive, send, more_metrics=self._more_metrics
            )
        else:
            mounted = self._push_gateway if is_push(scope) else self._ingest
            await mounted.app(mounted.make_scope(scope), receive, send)


def _is_aggregate(scope: Scope) -> bool:
    """Whether all apps are asked. A browser's question beforehand (OPTIONS) is for one of them to answer."""
    is_request = scope["type"] == "http" and scope["method"] != "OPTIONS"
    return is_request and scope["path"] in aggregate_endpoints.PATHS


def is_push(scope: Scope) -> bool:
    """Whether the push gateway serves this scope, of a request or a WebSocket."""
    return scope["type"] == "websocket" or str(scope["path"]).startswith(PUSH_PREFIX)


async def _run_lifespans(
    apps: Sequence[MountedApp], scope: Scope, receive: Receive, send: Send
) -> None:
    """Start the apps in order, and stop them in reverse: sockets are closed before ingest, which takes new work.

    The server gets the first app's allowed origins: it answers before any app is asked (`ops/http/refusals.py`).
    """
    await receive()
    started: list[MountedApp] = []
    for one in apps:
        message = await one.start()
        if message["type"] != "lifespan.startup.complete":
            await _stop(started)
            await send({"type": "lifespan.startup.failed", "message": message.get("message", "")})
            return
        started.append(one)
    if "allowed_origins" in apps[0].state:
        scope["state"]["allowed_origins"] = apps[0].state["allowed_origins"]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _stop(started)
    await send({"type": "lifespan.shutdown.complete"})


async def _stop(apps: Sequence[MountedApp]) -> None:
    for one in reversed(apps):
        await one.stop()


def create_app() -> SinglePort:
    """The factory for uvicorn: ingest and the push gateway, with the settings of the process environment."""
    from ingest.app import create_app as create_ingest  # noqa: PLC0415 (a factory; import as late as it)
    from push_gateway.app import create_app as create_push_gateway  # noqa: PLC0415

    folder = worker_metrics_folder(load(DataFolder, os.environ).path)
    app = SinglePort(
        ingest=create_ingest(),
        push_gateway=create_push_gateway(),
        more_metrics=partial(export_folder, folder),
    )
    # Each factory has configured the logs as those of its own process.
    configure(load(LogSettings, os.environ), process="web")
    return app
