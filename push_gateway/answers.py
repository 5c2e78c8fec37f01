"""HTTP answers of the gateway that carry no socket, in the form that every answer has (contract §0)."""

import json
import logging
import random
import secrets
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from storage.model.errors import CarillonError, NotSignedIn, TransientError
from storage.model.http_status import MEANING, retry_after_seconds, status_of
from storage.model.origin import is_sane_request_id

NO_SUCH_PATH = "There is nothing at this path."

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
                await build_error_response(405, MEANING[405], headers=allow)(scope, receive, named)
            else:
                await self.app(scope, receive, named)
        except Exception:
            if is_begun:  # the connection is cut, and uvicorn logs it
                raise
            log.exception("Request %s failed: %s", ours.decode(), self.path)
            await build_error_response(500, MEANING[500])(scope, receive, named)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what no route matches, handshakes too."""
    headers = {"X-Request-Id": request_id(_sent(scope))}
    answer = build_error_response(404, NO_SUCH_PATH, headers=headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


def respond_to_error(error: CarillonError, connection: HTTPConnection) -> Response:
    """The HTTP answer to an error (contract §0); 500, and nothing of what it says, for one that is a fault of ours."""
    status = status_of(type(error)) or 500
    headers = {"X-Request-Id": request_id(_sent(connection.scope))}
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="carillon"'
    if isinstance(error, TransientError):
        # The random number spreads those who come back, and hides nothing.
        headers["Retry-After"] = str(retry_after_seconds(error, spread=random.random()))  # noqa: S311
    detail = MEANING[500] if status == 500 else error.detail  # noqa: PLR2004
    return build_error_response(status, detail, headers=headers)


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
        if is_sane_request_id(one.encode("ascii", "replace")):
            return one
    return secrets.token_hex(16)


def _sent(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"][
        :1
    ]
