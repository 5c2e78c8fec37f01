"""The sockets of `carillon demo`: a plain client of contract §5."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ops.api_client import is_loopback, make_user_headers
from storage.model.close_codes import CloseCode
from storage.model.errors import PermanentError, TransientError

_PATIENCE_SECONDS = 10.0
_OPEN_SECONDS = 10.0
# Who is closed with one of these does not come back (contract §5, Close codes).
_FINAL = range(4500, 5000)
# How fast a broadcast goes at the least; it reaches people in the order of their ids, the demo's last.
_SLOWEST_PER_SECOND = 10_000


class SocketClosed(TransientError):
    """The socket was closed by the other side, or broke; `may_return`: a new one may be opened (contract §5)."""

    def __init__(self, detail: str, *, may_return: bool) -> None:
        super().__init__(detail)
        self.may_return = may_return


@contextmanager
def open_socket(url: str, token: str, *, since: str = "") -> Iterator["DemoSocket"]:
    """A WebSocket to the API at `url` with this token, for a block; raises TransientError if it cannot be opened.

    `since`: the position of the last frame that was seen, if the events after it are to come first.
    """
    query = f"?since={quote(since, safe='')}" if since else ""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(
                connect(
                    f"{url.replace('http', 'ws', 1)}/api/v1/ws/messages{query}",
                    additional_headers=make_user_headers(token),
                    open_timeout=_OPEN_SECONDS,
                    proxy=None if is_loopback(url) else True,
                )
            )
        except (WebSocketException, OSError) as error:
            raise TransientError(f"The socket could not be opened ({error}).") from error
        yield DemoSocket(connection)


class DemoSocket:
    """An open WebSocket, and the frames that come in on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def receive(self, *, seconds: float) -> dict[str, Any] | None:
        """The next frame; None if none comes in that time. Raises SocketClosed."""
        try:
            frame: dict[str, Any] = json.loads(self._connection.recv(timeout=seconds))
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 0
            is_final = code == CloseCode.FLOODING or code in _FINAL
            detail = f"The socket was closed ({error})."
            raise SocketClosed(detail, may_return=not is_final) from error
        return frame

    def wait_for(self, id: int, *, what: str, ahead: int = 0) -> dict[str, Any]:
        """Wait for the NEW_MESSAGE with this id, pass over other frames, and return its `data`.

        It may take 10 s, and longer if it goes to `ahead` people first. Raises PermanentError if it has not come by then,
        or if the socket is closed before.
        """
        patience = _PATIENCE_SECONDS + ahead / _SLOWEST_PER_SECOND
        until = time.monotonic() + patience
        try:
            while (left := until - time.monotonic()) > 0:
                frame = json.loads(self._connection.recv(timeout=left))
                if frame["type"] == "NEW_MESSAGE" and frame["data"]["id"] == id:
                    data: dict[str, Any] = frame["data"]
                    return data
        except TimeoutError:
            pass
        except WebSocketException as error:
            raise PermanentError(
                f"The socket was closed before the {what} came ({error})."
            ) from error
        raise PermanentError(
            f"The {what} (message {id}) did not arrive within {patience:.0f} s. It is stored: "
            "see that a worker runs, its log, and `carillon failed list`."
        )
