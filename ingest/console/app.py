"""The console's routes: the page, signing in, and what the page asks and does.

`endpoints.py` says how each of them answers, `operations/` what.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from ingest.console.endpoints import (
    PATH,
    Handler,
    IfEnabled,
    Operation,
    check_csrf_first,
    download,
    get,
    post,
)
from ingest.console.operations import (
    apps,
    audit,
    broadcast_details,
    broadcasts,
    callbacks,
    failed_sends,
    messages,
    operators,
    overview,
    pauses,
    people,
    schedule,
)
from ingest.console.sign_in import SignIn, show_me
from ingest.http.static_files import RevalidatedFiles
from storage.model.operator import Permission
from storage.postgres.console_sessions import SignInLimits

STATIC = Path(__file__).with_name("static")
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STEER, _MANAGE = Permission.STEER, Permission.MANAGE


def routes(limits: SignInLimits | None = None) -> list[BaseRoute]:
    """The routes of the console; in a deployment without a console they respond 404, as if they were not there.

    `limits`: how often signing in may be tried.
    """
    signing = SignIn(path=PATH, limits=limits or SignInLimits())
    return [
        Route(PATH, IfEnabled(_redirect_to_slash)),
        Route(f"{PATH}/", IfEnabled(_serve_page)),
        Mount(f"{PATH}/static", IfEnabled(RevalidatedFiles(directory=STATIC))),
        _post_anyhow("login", signing.sign_in),
        _post_anyhow("logout", signing.sign_out),
        *_list_questions(),
        *_list_acts(signing),
    ]


def _list_questions() -> list[BaseRoute]:
    return [
        get("me", show_me),
        get("look", overview.show_overview),
        get("broadcasts", broadcasts.list_broadcasts),
        get("broadcasts/{id}", broadcast_details.show_broadcast),
        get("broadcasts/{id}/readers", broadcast_details.count_readers),
        get("broadcasts/{id}/unread", broadcast_details.list_unread),
        download("broadcasts/{id}/unread.csv", broadcast_details.download_unread),
        get("scheduled", schedule.list_scheduled),
        get("messages", messages.find_messages),
        get("messages/{id}", messages.show_message),
        get("failed", failed_sends.list_failed),
        get("apps", apps.list_apps),
        get("callbacks", callbacks.list_callbacks),
        get("people", people.find_people),
        get("pauses", pauses.list_pauses),
        get("operators", operators.list_operators),
        get("audit", audit.list_audit),
    ]


def _list_acts(signing: SignIn) -> list[BaseRoute]:
    own = post(
        "me/password",
        signing.change_password,
        act="operator.password",
        target="own password",
        needs=None,
    )
    acts = [
        post(path, action, act=act, target=target, needs=needs)
        for path, action, act, target, needs in _ACTS
    ]
    return [own, *acts]


_BROADCAST, _MESSAGE, _FAILED, _APP, _OPERATOR = (
    "broadcast {id}",
    "message {id}",
    "failed send {id}",
    "app number {id}",
    "operator {name}",
)
# What the page does: path, operation, act, its target with the values of the path, and what it needs.
_ACTS: tuple[tuple[str, Operation, str, str, Permission], ...] = (
    ("broadcasts/{id}/cancel", broadcasts.cancel, "broadcast.cancel", _BROADCAST, _STEER),
    ("broadcasts/{id}/recall", broadcasts.recall, "broadcast.recall", _BROADCAST, _STEER),
    ("broadcasts/{id}/retry", broadcasts.retry, "broadcast.retry", _BROADCAST, _STEER),
    ("messages/{id}/recall", messages.recall, "message.recall", _MESSAGE, _STEER),
    ("messages/{id}/content", messages.read_content, "message.read-content", _MESSAGE, Permission.READ_CONTENT),
    ("failed/{id}/replay", failed_sends.replay, "failed.replay", _FAILED, _STEER),
    ("failed/{id}/drop", failed_sends.drop, "failed.drop", _FAILED, _MANAGE),
    ("apps/{id}/disable", apps.disable, "app.disable", _APP, _MANAGE),
    ("apps/{id}/enable", apps.enable, "app.enable", _APP, _MANAGE),
    ("apps/{id}/rotate-secret", apps.rotate_secret, "app.rotate-secret", _APP, _MANAGE),
    ("callbacks/{id}/resume", callbacks.resume, "callback.resume", _APP, _STEER),
    ("callbacks/{id}/test", callbacks.test, "callback.test", _APP, _STEER),
    ("callbacks/{id}/replay", callbacks.replay, "callback.replay", _APP, _STEER),
    ("pauses", pauses.pause, "pause.set", "pauses", _STEER),
    ("pauses/resume", pauses.resume, "pause.end", "pauses", _STEER),
    ("operators", operators.add, "operator.add", "operators", _MANAGE),
    ("operators/{name}/disable", operators.disable, "operator.disable", _OPERATOR, _MANAGE),
    ("operators/{name}/enable", operators.enable, "operator.enable", _OPERATOR, _MANAGE),
    ("operators/{name}/role", operators.change_role, "operator.role", _OPERATOR, _MANAGE),
    ("operators/{name}/password", operators.renew_password, "operator.password", _OPERATOR, _MANAGE),
)  # fmt: skip


def _post_anyhow(path: str, handler: Handler) -> Route:
    """A route for who is not signed in yet, or any more."""
    return Route(f"{PATH}/api/{path}", IfEnabled(check_csrf_first(handler)), methods=["POST"])


async def _redirect_to_slash(_request: Request) -> ASGIApp:
    # Relative, so that it works behind a proxy's path.
    return RedirectResponse("console/", status_code=307)


async def _serve_page(_request: Request) -> ASGIApp:
    return FileResponse(STATIC / "index.html", headers=_PAGE_HEADERS)
