"""The gateway's HTTP errors, in the form that every error of Carillon has (contract §0, Errors).

Used by every HTTP endpoint and by the handshake. Statuses stand in `storage/model/http_status.py`.
"""

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
        """Answer one request; an exception that nobody caught is logged and answered 500."""
        is_begun = False
        ours = choose_request_id(_read_request_ids(scope)).encode()

        async def send_with_id(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                rest = [pair for pair in message["headers"] if pair[0] != b"x-request-id"]
                message = {**message, "headers": [*rest, (b"x-request-id", ours)]}
            await send(message)

        try:
            if self.methods and scope["method"] not in self.methods:
                allow = {"Allow": ", ".join(sorted(self.methods))}
                await build_error_response(405, MEANING[405], headers=allow)(
                    scope, receive, send_with_id
                )
            else:
                await self.app(scope, receive, send_with_id)
        except Exception:
            if is_begun:  # the connection is cut, and uvicorn logs it
                raise
            log.exception("Request %s failed: %s", ours.decode(), self.path)
            await build_error_response(500, MEANING[500])(scope, receive, send_with_id)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI app for paths that no route matches: 404, to handshakes too."""
    headers = {"X-Request-Id": choose_request_id(_read_request_ids(scope))}
    answer = build_error_response(404, NO_SUCH_PATH, headers=headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)


def respond_to_error(error: CarillonError, connection: HTTPConnection) -> Response:
    """The HTTP answer to an error (contract §0); 500, and nothing of what it says, for one that is a fault of ours."""
    status = status_of(type(error)) or 500
    headers = {"X-Request-Id": choose_request_id(_read_request_ids(connection.scope))}
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
    """The response of an error: `{"detail": …}`."""
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


def encode_error_body(detail: str) -> bytes:
    """The JSON body of an error, for responses that are made without Starlette."""
    return json.dumps({"detail": detail}).encode()


def choose_request_id(sent: Iterable[str]) -> str:
    """The first usable X-Request-Id of those that the caller sent, else a new one (contract §0)."""
    for one in sent:
        if is_sane_request_id(one.encode("ascii", "replace")):
            return one
    return secrets.token_hex(16)


def _read_request_ids(scope: Scope) -> list[str]:
    """The request's first X-Request-Id; empty if it has none."""
    sent = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return [value.decode("latin-1") for value in sent[:1]]
