"""The console's routes: the page, signing in, and what the page asks and does.

Every request that changes something must have a header that only the console's own page sets, beside its
SameSite=Strict cookie, so that no other site's page can make it (OWASP's cheat sheet on CSRF: custom request headers).
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.console.operations import apps, broadcasts, failed_sends, overview, people
from ingest.console.sign_in import SignIn, require_session
from ingest.http import errors
from ingest.http.response import Response
from ingest.services import Services
from storage.model.errors import CallerError, NotAllowed, TransientError, invalid
from storage.postgres.console_sessions import SignInLimits

PATH = "/console"
STATIC = Path(__file__).with_name("static")
CSRF_HEADER = "x-carillon-console"
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
    """The routes of the console; as long as no operator's token is set they respond 404, as if they were not there.

    `limits`: how often signing in may be tried.
    """
    signing = SignIn(path=PATH, limits=limits or SignInLimits())
    return [
        Route(PATH, _IfEnabled(_redirect_to_slash)),
        Route(f"{PATH}/", _IfEnabled(_serve_page)),
        Mount(f"{PATH}/static", _IfEnabled(_RevalidatedFiles(directory=STATIC))),
        Route(
            f"{PATH}/api/login", _IfEnabled(_check_csrf_first(signing.sign_in)), methods=["POST"]
        ),
        Route(
            f"{PATH}/api/logout", _IfEnabled(_check_csrf_first(signing.sign_out)), methods=["POST"]
        ),
        _get("look", lambda services, _: overview.show_overview(services)),
        _get("broadcasts", lambda s, r: broadcasts.list_broadcasts(s, _parse_before_id(r))),
        _post("broadcasts/{id}/cancel", broadcasts.cancel),
        _post("broadcasts/{id}/recall", broadcasts.recall),
        _get("failed", lambda s, r: failed_sends.list_failed(s, _parse_before_id(r))),
        _post("failed/{id}/replay", failed_sends.replay),
        _post("failed/{id}/drop", failed_sends.drop),
        _get("apps", lambda services, _: apps.list_apps(services)),
        _post("apps/{id}/rotate-secret", apps.rotate_secret),
        _get(
            "people", lambda s, r: people.find_people(s, _parse_text(r, "q"), skip=_parse_skip(r))
        ),
    ]


class _RevalidatedFiles(StaticFiles):
    """Files that a browser asks for anew each time: modules of two versions do not fit together."""

    def file_response(self, *args: Any, **kwargs: Any) -> StarletteResponse:
        """The file, or 304."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _IfEnabled:
    """An ASGI application or a handler that is there only if an operator's token is set."""

    def __init__(self, app: ASGIApp | Callable[[Request], Awaitable[ASGIApp]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond 404."""
        services: Services = scope["state"]["services"]
        if not services.settings.console_token:
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


def _get(path: str, question: Question) -> Route:
    """A route that answers a question of the page."""

    async def handle(request: Request) -> ASGIApp:
        services = await require_session(request)
        return Response(await question(services, request), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _IfEnabled(handle), methods=["GET"])


def _post(path: str, action: Callable[[Services, int], Awaitable[Any]]) -> Route:
    """A route by which the operator does something to one thing, whose id is in the path."""

    async def handle(request: Request) -> ASGIApp:
        services = await require_session(request)
        _check_csrf_header(request)
        id = _parse_id(request.path_params["id"], name="id", where="path")
        return Response(await action(services, id), headers=[("Cache-Control", "no-store")])

    return Route(f"{PATH}/api/{path}", _IfEnabled(handle), methods=["POST"])


def _check_csrf_first(
    handler: Callable[[Request], Awaitable[ASGIApp]],
) -> Callable[[Request], Awaitable[ASGIApp]]:
    async def handle(request: Request) -> ASGIApp:
        _check_csrf_header(request)
        return await handler(request)

    return handle


def _check_csrf_header(request: Request) -> None:
    if CSRF_HEADER not in request.headers:
        raise NotAllowed(f"Needs the header {CSRF_HEADER}.")


def _parse_before_id(request: Request) -> int | None:
    text = request.query_params.get("before_id", "")
    return _parse_id(text, name="before_id", where="query") if text else None


def _parse_skip(request: Request) -> int:
    text = request.query_params.get("skip", "")
    return _parse_id(text, name="skip", where="query") if text else 0


def _parse_id(text: str, *, name: str, where: str) -> int:
    # The length before int(), which refuses thousands of digits with an error of its own.
    if not _DIGITS.fullmatch(text) or int(text) >= 2**63:
        raise invalid(name, "Must be an id.", where=where)
    return int(text)


def _parse_text(request: Request, name: str) -> str:
    text = request.query_params.get(name, "").strip()
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise invalid(name, f"Must be up to {_LONGEST_TEXT} characters, no NUL.", where="query")
    return text


async def _redirect_to_slash(_request: Request) -> ASGIApp:
    # Relative, so that it works behind a proxy's path.
    return RedirectResponse("console/", status_code=307)


async def _serve_page(_request: Request) -> ASGIApp:
    return FileResponse(STATIC / "index.html", headers=_PAGE_HEADERS)
