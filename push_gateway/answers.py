"""HTTP answers of the gateway that carry no socket: the one table of error → status, and their form (contract §0)."""

import json
import logging
import math
import random
import secrets
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from storage.model.errors import CarillonError, NotAllowed, NotSignedIn, OverLimit, TransientError

STATUS: dict[type[CarillonError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    OverLimit: 429,
    TransientError: 503,
}
NO_SUCH_PATH = "There is nothing at this path."
NO_SUCH_METHOD = "This path does not take this method."
INTERNAL = "Something went wrong here."
MAX_REQUEST_ID = 128

log = logging.getLogger(__name__)


class JsonRoute(Route):
    """A path whose every answer has an X-Request-Id, and whose errors are JSON."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_begun = False
        ours = request_id(_sent(scope)).encode()

        async def named(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                rest = [pair for pair in message["headers"] if pair[0] != b"x-request-id"]
                message = {**message, "headers": [*rest, (b"x-request-id", ours)]}
            await send(message)

        try:
            if self.methods and scope["method"] not in self.methods:
                allow = {"Allow": ", ".join(sorted(self.methods))}
                await build_error_response(405, NO_SUCH_METHOD, headers=allow)(
                    scope, receive, named
                )
            else:
                await self.app(scope, receive, named)
        except Exception:
            if is_begun:  # the connection is cut, and uvicorn logs it
                raise
            log.exception("Request %s failed: %s", ours.decode(), self.path)
            await build_error_response(500, INTERNAL)(scope, receive, named)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what no route matches, handshakes too."""
    headers = {"X-Request-Id": request_id(_sent(scope))}
    answer = build_error_response(404, NO_SUCH_PATH, headers=headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


def respond_to_error(error: CarillonError, connection: HTTPConnection) -> Response:
    """The HTTP answer to an error (contract §0); 500 for one that is not the caller's."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    headers = {"X-Request-Id": request_id(_sent(connection.scope))}
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="carillon"'
    if isinstance(error, TransientError):
        headers["Retry-After"] = str(_retry_after(error))
    return build_error_response(status, error.detail, headers=headers)


def _retry_after(error: TransientError) -> int:
    """Whole seconds; where nothing is known, a few, spread so that not all come back at once."""
    if error.retry_after_seconds is not None:
        return math.ceil(error.retry_after_seconds)
    return random.randint(1, 5)  # noqa: S311 spreads, hides nothing


def build_error_response(
    status: int, detail: str, *, headers: dict[str, str] | None = None
) -> Response:
    """An error as JSON."""
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


def body(detail: str) -> bytes:
    """The body of an error where there is no app to answer it."""
    return json.dumps({"detail": detail}).encode()


def request_id(sent: Iterable[str]) -> str:
    """The caller's X-Request-Id if it is sane, else one of ours (contract §0)."""
    for one in sent:
        if 0 < len(one) <= MAX_REQUEST_ID and one.isascii() and one.isprintable():
            return one
    return secrets.token_hex(16)


def _sent(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"][
        :1
    ]
