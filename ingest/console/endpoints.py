"""How a route of the console answers: is it there, who asks, may they, and what becomes of it.

Every request that changes something must have a header that only the console's own page sets, beside its
SameSite=Strict cookie, so that no other site's page can make it (OWASP's cheat sheet on CSRF: custom request headers).
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.console.csv_rows import CsvFile
from ingest.console.visit import Visit, open_visit
from ingest.http import errors
from ingest.http.response import Response
from ingest.services import Services
from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, NotAllowed, TransientError
from storage.model.operator import Permission
from storage.postgres import audit

PATH = "/console"
CSRF_HEADER = "x-carillon-console"
_NOT_STORED = [("Cache-Control", "no-store")]

# An operation of the console: what it answers is written as JSON.
Operation = Callable[[Visit], Awaitable[Any]]
Handler = Callable[[Request], Awaitable[ASGIApp]]

_log = logging.getLogger(__name__)


class IfEnabled:
    """An ASGI application or a handler that is there only if the deployment has a console; if not, it responds 404."""

    def __init__(self, app: ASGIApp | Handler) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond 404."""
        services: Services = scope["state"]["services"]
        if not services.settings.has_console:
            await errors.not_found(scope, receive, send)
        elif isinstance(self._app, StaticFiles):
            await self._app(scope, receive, send)
        else:
            await self._handle(scope, receive, send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler: Any = self._app
        try:
            response = await handler(Request(scope, receive))
        except (CallerError, TransientError) as error:
            response = errors.respond_to_error(error)
        await response(scope, receive, send)


def get(path: str, question: Operation) -> Route:
    """A route that answers a question; every operator may ask."""

    async def handle(request: Request) -> ASGIApp:
        visit = await open_visit(request)
        return Response(await question(visit), headers=_NOT_STORED)

    return Route(f"{PATH}/api/{path}", IfEnabled(handle), methods=["GET"])


def download(path: str, question: Callable[[Visit], Awaitable[CsvFile]]) -> Route:
    """A route that answers with a file, written as it is read; every operator may ask.

    If it cannot be read to its end the connection is closed in the middle, so that no browser takes it for whole.
    """

    async def handle(request: Request) -> ASGIApp:
        file = await question(await open_visit(request))
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return StreamingResponse(
            file.parts, media_type="text/csv; charset=utf-8", headers=headers | dict(_NOT_STORED)
        )

    return Route(f"{PATH}/api/{path}", IfEnabled(handle), methods=["GET"])


def post(path: str, action: Operation, *, act: str, target: str, needs: Permission | None) -> Route:
    """A route by which an operator does `act` to `target`, in which stand the path's values (`app number {id}`).

    `action` writes the row of the audit in its own transaction (`storage/postgres/acts`). To an operator whose role does
    not allow what it `needs` the answer is 403, and a row says so; None: everybody who is signed in may.
    """

    async def handle(request: Request) -> ASGIApp:
        visit = await open_visit(request)
        check_csrf_header(request)
        counters = visit.services.metrics
        what = visit.describe(target)
        if needs is not None and not visit.actor.may(needs):
            counters.operator_acts_refused.labels(act).inc()
            await _refuse(visit, act=act, target=what)
        answer = await action(visit)
        counters.operator_acts.labels(act).inc()
        _log.info("The operator %s did %s: %s.", visit.actor.name, act, what)
        return Response(answer, headers=_NOT_STORED)

    return Route(f"{PATH}/api/{path}", IfEnabled(handle), methods=["POST"])


async def _refuse(visit: Visit, *, act: str, target: str) -> None:
    actor = visit.actor
    _log.warning("The %s %s may not do %s: %s.", actor.role, actor.name, act, target)
    await visit.services.database.transaction(audit.record_refusal, actor, act=act, target=target)
    raise NotAllowed(
        f"The role {actor.role} does not allow this: {act}.", code=ErrorCode.ROLE_TOO_LOW
    )


def check_csrf_first(handler: Handler) -> Handler:
    """`handler`, but only for requests that our own page made."""

    async def handle(request: Request) -> ASGIApp:
        check_csrf_header(request)
        return await handler(request)

    return handle


def check_csrf_header(request: Request) -> None:
    """Raise NotAllowed unless our own page made the request."""
    if CSRF_HEADER not in request.headers:
        raise NotAllowed(f"Needs the header {CSRF_HEADER}.", code=ErrorCode.CONSOLE_HEADER_MISSING)
