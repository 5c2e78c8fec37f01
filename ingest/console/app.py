"""The console's routes: the page, signing in, and what the page asks and does.

Changes need a header of their own beside the cookie (which is SameSite=Strict), so that no other site's
page can make them (OWASP's cheat sheet on CSRF, custom request headers).
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest import problems
from ingest.answer import Answer
from ingest.body import read
from ingest.console import operations, session
from ingest.services import Services
from storage.model.errors import CallerIsWrong, NotAllowed, NotSignedIn, TryLater, invalid

PATH = "/console"
STATIC = Path(__file__).with_name("static")
MARK = "x-carillon-console"
# A guess a second and connection; the token has 16 characters at least.
_REFUSAL_SECONDS = 1.0
_LONGEST_LOGIN = 4096
_LONGEST_TEXT = 255
_DIGITS = re.compile(r"[0-9]{1,19}")
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Question = Callable[[Services, Request], Awaitable[Any]]


def routes() -> list[BaseRoute]:
    """All of them; without a token set they answer as if they were not there."""
    return [
        Route(PATH, _Switch(_slash)),
        Route(f"{PATH}/", _Switch(_page)),
        Mount(f"{PATH}/static", _Switch(StaticFiles(directory=STATIC))),
        Route(f"{PATH}/api/login", _Switch(_login), methods=["POST"]),
        Route(f"{PATH}/api/logout", _Switch(_logout), methods=["POST"]),
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
            await problems.no_such_path(scope, receive, send)
        elif isinstance(self._app, StaticFiles):
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler: Any = self._app
        try:
            answer = await handler(Request(scope, receive))
        except (CallerIsWrong, TryLater) as error:
            answer = problems.answer(error)
        await answer(scope, receive, send)


def _asks(path: str, question: Question) -> Route:
    """A question of the page: GET."""

    async def handle(request: Request) -> ASGIApp:
        services = _signed_in(request)
        return Answer(await question(services, request), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _Switch(handle), methods=["GET"])


def _does(path: str, deed: Callable[[Services, int], Awaitable[Any]]) -> Route:
    """A deed of the operator, on one thing: POST."""

    async def handle(request: Request) -> ASGIApp:
        services = _signed_in(request)
        _check_origin(request)
        id = _id(request.path_params["id"], name="id", where="path")
        return Answer(await deed(services, id), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _Switch(handle), methods=["POST"])


def _signed_in(request: Request) -> Services:
    services: Services = request.state.services
    cookie = request.cookies.get(session.COOKIE, "")
    if not session.is_valid(cookie, services.settings.console_token, now=time.time()):
        raise NotSignedIn("Sign in with the operator's token.")
    return services


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


async def _login(request: Request) -> ASGIApp:
    _check_origin(request)
    services: Services = request.state.services
    token = services.settings.console_token
    seconds = services.settings.body_timeout.total_seconds()
    headers = dict(request.scope["headers"])
    body = await read(request.receive, headers, limit=_LONGEST_LOGIN, seconds=seconds)
    if not session.is_token(body.decode("utf-8", "replace").strip(), token):
        await asyncio.sleep(_REFUSAL_SECONDS)
        raise NotSignedIn("This is not the operator's token.")
    value = session.issue(token, now=time.time())
    return _with_cookie(request, value, seconds=session.LIFETIME_SECONDS)


async def _logout(request: Request) -> ASGIApp:
    _check_origin(request)
    return _with_cookie(request, "", seconds=0)


def _with_cookie(request: Request, value: str, *, seconds: int) -> Answer:
    attributes = f"Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    secure = "; Secure" if request.url.scheme == "https" else ""
    cookie = f"{session.COOKIE}={value}; {attributes}{secure}"
    return Answer({}, headers=[("Set-Cookie", cookie), ("Cache-Control", "no-store")])
