"""Between this package's steps and websockets': what both shells do in the same way."""

import ssl
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus

from carillon_client.errors import CarillonError, NotCarillonError
from carillon_client.refusals import read_error
from carillon_client.socket.session import Closed
from carillon_client.transport import is_loopback

OPEN_SECONDS = 10.0
_LONGEST_FRAME = 16 * 1024 * 1024
_NO_CLOSE_FRAME = 1006


def make_options(url: str, token: str, *, ssl_context: ssl.SSLContext | None) -> dict[str, Any]:
    """The arguments of `connect`. websockets pings by itself: a connection that died is noticed within 40 seconds."""
    options: dict[str, Any] = {
        "additional_headers": {"Authorization": f"Bearer {token}"},
        "open_timeout": OPEN_SECONDS,
        "close_timeout": 2.0,
        "max_size": _LONGEST_FRAME,
        "proxy": None if is_loopback(url) else True,
    }
    if ssl_context is not None:
        options["ssl"] = ssl_context
    return options


def read_refusal(error: InvalidStatus) -> CarillonError:
    """The error of a handshake that was answered by something else than an upgrade."""
    response = error.response
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    found = read_error(response.status_code, headers, bytes(response.body or b""))
    return found or NotCarillonError(
        f"The socket's URL answered {response.status_code}.",
        status=response.status_code,
        code="NOT_CARILLON",
    )


def read_close(error: ConnectionClosed) -> Closed:
    """Why the server closed the connection."""
    if error.rcvd is None:
        return Closed(_NO_CLOSE_FRAME, "")
    return Closed(error.rcvd.code, error.rcvd.reason)
