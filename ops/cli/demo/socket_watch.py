"""The socket that `carillon demo` watches: a plain client of contract §5."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from ops.api_client import is_loopback, make_user_headers
from storage.model.errors import PermanentError, TransientError

_PATIENCE_SECONDS = 10.0
_OPEN_SECONDS = 10.0
# How fast a broadcast goes at the least; it reaches people in the order of their ids, the demo's last.
_SLOWEST_PER_SECOND = 10_000


@contextmanager
def open_socket(url: str, token: str) -> Iterator["DemoSocket"]:
    """A WebSocket to the API at `url` with this token, for a block; raises TransientError if it cannot be opened."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(
                connect(
                    f"{url.replace('http', 'ws', 1)}/api/v1/ws/messages",
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
