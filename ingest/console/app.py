"""The console's routes: the page, signing in, and what the page asks and does.

Changes need a header of their own beside the cookie (which is SameSite=Strict), so that no other site's
page can make them (OWASP's cheat sheet on CSRF, custom request headers).
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.console import operations
from ingest.console.sign_in import SignIn, signed_in
from ingest.http import errors
from ingest.http.response import Response
from ingest.services import Services
from storage.model.errors import CallerError, NotAllowed, TransientError, invalid
from storage.postgres.console_sessions import SignInLimits

PATH = "/console"
STATIC = Path(__file__).with_name("static")
MARK = "x-carillon-console"
_LONGEST_TEXT = 255
_DIGITS = re.compile(r"[0-9]{1,19}")
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Question = Callable[[Services, Request], Awaitable[Any]]


def routes(limits: SignInLimits | None = None) -> list[BaseRoute]:
    """All of them; without a token set they answer as if they were not there. `limits` of signing in."""
    door = SignIn(path=PATH, limits=limits or SignInLimits())
    return [
        Route(PATH, _Switch(_slash)),
        Route(f"{PATH}/", _Switch(_page)),
        Mount(f"{PATH}/static", _Switch(StaticFiles(directory=STATIC))),
        Route(f"{PATH}/api/login", _Switch(_changing(door.sign_in)), methods=["POST"]),
        Route(f"{PATH}/api/logout", _Switch(_changing(door.sign_out)), methods=["POST"]),
        _asks("look", lambda services, _: operations.look(services)),
        _asks("broadcasts", lambda s, r: operations.list_broadcasts(s, _before(r))),
        _does("broadcasts/{id}/cancel", operations.cancel),
        _does("broadcasts/{id}/recall", operations.recall),
        _asks("failed", lambda s, r: operations.list_failed(s, _before(r))),
        _does("failed/{id}/replay", operations.replay),
        _does("failed/{id}/drop", operations.drop),
        _asks("apps", lambda services, _: operations.list_apps(services)),
        _does("apps/{id}/rotate-secret", operations.rotate_secret),
        _asks("people", lambda s, r: operations.find_people(s, _text(r, "q"))),
    ]


class _Switch:
    """What is behind it is there only if the operator has a token."""

    def __init__(self, app: ASGIApp | Callable[[Request], Awaitable[ASGIApp]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or 404."""
        services: Services = scope["state"]["services"]
        if not services.settings.console_token:
            await errors.not_found(scope, receive, send)
        elif isinstance(self._app, StaticFiles):
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler: Any = self._app
        try:
            answer = await handler(Request(scope, receive))
        except (CallerError, TransientError) as error:
            answer = errors.respond_to_error(error)
        await answer(scope, receive, send)


def _asks(path: str, question: Question) -> Route:
    """A question of the page: GET."""

    async def handle(request: Request) -> ASGIApp:
        services = await signed_in(request)
        return Response(await question(services, request), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _Switch(handle), methods=["GET"])


def _does(path: str, deed: Callable[[Services, int], Awaitable[Any]]) -> Route:
    """A deed of the operator, on one thing: POST."""

    async def handle(request: Request) -> ASGIApp:
        services = await signed_in(request)
        _check_origin(request)
        id = _id(request.path_params["id"], name="id", where="path")
        return Response(await deed(services, id), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _Switch(handle), methods=["POST"])


def _changing(
    handler: Callable[[Request], Awaitable[ASGIApp]],
) -> Callable[[Request], Awaitable[ASGIApp]]:
    async def handle(request: Request) -> ASGIApp:
        _check_origin(request)
        return await handler(request)

    return handle


def _check_origin(request: Request) -> None:
    if MARK not in request.headers:
        raise NotAllowed(f"Needs the header {MARK}.")


def _before(request: Request) -> int | None:
    text = request.query_params.get("before_id", "")
    return _id(text, name="before_id", where="query") if text else None


def _id(text: str, *, name: str, where: str) -> int:
    # The length before int(), which refuses thousands of digits with an error of its own.
    if not _DIGITS.fullmatch(text) or int(text) >= 2**63:
        raise invalid(name, "Must be an id.", where=where)
    return int(text)


def _text(request: Request, name: str) -> str:
    text = request.query_params.get(name, "").strip()
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise invalid(name, f"Must be up to {_LONGEST_TEXT} characters, no NUL.", where="query")
    return text


async def _slash(_request: Request) -> ASGIApp:
    # Relative, so that it works behind a proxy's path.
    return RedirectResponse("console/", status_code=307)


async def _page(_request: Request) -> ASGIApp:
    return FileResponse(STATIC / "index.html", headers=_PAGE_HEADERS)
