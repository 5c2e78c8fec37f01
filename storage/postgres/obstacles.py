"""What keeps us from PostgreSQL: a wrong password is not a dead host. For `carillon doctor`.

libpq hands out no codes of what fails before a session is open, only PostgreSQL's sentence. What that sentence is
recognised by is English; of a server that speaks another language the sentence itself is the answer.
"""

import re
import socket
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.postgres.session_limits import COMMAND, build_connect_args
from storage.reachability import Cause, Obstacle, probe_address

# PostgreSQL's protocol, "SSLRequest": eight bytes long, and its number.
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_SIGNS = (
    (r"password authentication failed", Cause.WRONG_PASSWORD),
    (r"no password supplied", Cause.NO_PASSWORD),
    (r'role ".*" does not exist', Cause.UNKNOWN_ROLE),
    (r'database ".*" does not exist', Cause.UNKNOWN_DATABASE),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", Cause.NOT_ALLOWED),
    (r"permission denied for database|is not permitted to log in", Cause.NOT_ALLOWED),
    (r"does not support SSL|SSL support is not compiled", Cause.NO_TLS),
    (r"certificate|SSL error", Cause.BAD_CERTIFICATE),
    (r"too many (clients|connections)|connection slots are reserved", Cause.FULL),
    (r"(starting up|shutting down|in recovery mode|not yet accepting)", Cause.STARTING),
    (
        r"invalid response|authentication method requirement|expected authentication",
        Cause.WRONG_SERVER,
    ),
    (r"server closed the connection", Cause.REFUSED),
    (r"failed to resolve host|could not translate host name", Cause.UNKNOWN_HOST),
    (r"Connection refused|No such file or directory", Cause.NOBODY_LISTENS),
    (r"No route to host|unreachable", Cause.NO_ANSWER),
    (r"timeout expired|timed out", Cause.SILENT),
)


def find_obstacle(url: str, *, seconds: float) -> Obstacle | None:
    """What keeps us from a session at `url`; None if one was opened. Blocks for about three times `seconds` at most."""
    try:
        info = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    except psycopg.ProgrammingError:
        return Obstacle(Cause.MALFORMED, "CARILLON_DATABASE_URL")
    host, port = str(info.get("host") or "localhost"), str(info.get("port") or "5432")
    is_one = "," not in host and not host.startswith("/") and port.isdecimal()
    if is_one and (found := probe_address(host, int(port), seconds=seconds)):
        return found
    # With the start parameters of every session of ours: a pooler in front may refuse them.
    parameters: dict[str, Any] = info | build_connect_args("carillon doctor", COMMAND)
    parameters["connect_timeout"] = max(2, round(seconds))
    try:
        psycopg.connect(**parameters).close()
    except psycopg.Error as error:
        said = _find_sentence(error)
        cause = _recognise(str(error))
        if (
            cause is Cause.NOT_ALLOWED
            and "no encryption" in said
            and is_one
            and _offers_tls(host, int(port), seconds)
        ):
            cause = Cause.TLS_WANTED
        return Obstacle(cause, f"{host}:{port}", said)
    return None


def _recognise(text: str) -> Cause:
    return next((cause for sign, cause in _SIGNS if re.search(sign, text)), Cause.REFUSED)


def _find_sentence(error: psycopg.Error) -> str:
    """PostgreSQL's own sentence, without libpq's words about the address; it never quotes a password."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^.*(\b(FATAL|ERROR):|\bfailed:)\s*", "", first)


def _offers_tls(host: str, port: int, seconds: float) -> bool:
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) == b"S"
    except OSError:
        return False
