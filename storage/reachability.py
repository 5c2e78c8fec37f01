"""Why a server cannot be used, as one cause: what the rooms of the servers find out, and what doctor has a remedy for.

The first steps are the same for every server and are taken here: its name, its port, and whether it speaks TLS.
"""

import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """The reason, as far as it can be told from here."""

    MALFORMED = "the URL is malformed"
    UNKNOWN_HOST = "its host name is unknown"
    NO_NAME_SERVER = "the name server does not answer"
    NOBODY_LISTENS = "nobody listens at its address"
    NO_ANSWER = "its address does not answer"
    SILENT = "it takes connections and says nothing"
    WRONG_SERVER = "another kind of server answers"
    TLS_WANTED = "it wants TLS"
    NO_TLS = "it offers no TLS"
    BAD_CERTIFICATE = "its certificate is not trusted"
    WRONG_PASSWORD = "it does not take the password"  # noqa: S105 (a sentence)
    NO_PASSWORD = "it wants a password"  # noqa: S105
    UNKNOWN_ROLE = "it does not know the user"
    UNKNOWN_DATABASE = "it has no such database"
    NOT_ALLOWED = "it lets us not in"
    CLOCK = "its clock differs from ours"
    FULL = "it takes no more connections"
    STARTING = "it is starting or stopping"
    REFUSED = "it refuses us"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps us from a server. `where` is its address, `text` what it said itself (without secrets), "" if nothing."""

    cause: Cause
    where: str
    text: str = ""


def probe_address(host: str, port: int, *, seconds: float) -> Obstacle | None:
    """What keeps us from connecting to `host`:`port`; None if a connection was taken. Blocks for about `seconds` at most."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return None
    except socket.gaierror as error:
        is_away = error.errno == socket.EAI_AGAIN
        cause = Cause.NO_NAME_SERVER if is_away else Cause.UNKNOWN_HOST
        return Obstacle(cause, where)
    except UnicodeError:
        return Obstacle(Cause.UNKNOWN_HOST, where)
    except ConnectionRefusedError:
        return Obstacle(Cause.NOBODY_LISTENS, where)
    except OSError as error:
        return Obstacle(Cause.NO_ANSWER, where, error.strerror or "no answer in time")


def greet(host: str, port: int, *, greeting: bytes, seconds: float) -> bytes:
    """The first bytes that a server answers to `greeting`; b"" if it ends the connection instead.

    Raises TimeoutError if it says nothing within `seconds`.
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(greeting)
            return connection.recv(16)
    except TimeoutError:
        raise
    except OSError:
        return b""


def takes_tls(host: str, port: int, *, seconds: float) -> bool:
    """Whether the server at `host`:`port` takes a TLS handshake from the first byte, whatever certificate it shows."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=seconds) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False
