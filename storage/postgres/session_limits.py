"""How long a session of PostgreSQL may hold what others wait for. `database.py` opens every connection with such limits.

A process that hangs, or a host that vanishes, must not keep a lock: the server ends its session in seconds, and the
process finds its connection lost when it goes on.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

# When one side vanishes, the other notices it in about ten seconds: during a statement because data is not
# acknowledged, and between two by keepalive probes. The system's own default is two hours (tcp(7)).
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 4, 2, 3
_UNACKNOWLEDGED_MS = 8_000
CONNECT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session may wait for a lock, run a statement, and be idle in a transaction or outside of one.

    None: without a limit. Over a limit PostgreSQL cancels the statement; an idle session it ends, which releases its
    locks. `is_serial`: statements get no parallel workers of the server.
    """

    lock: timedelta | None
    statement: timedelta | None
    idle_in_transaction: timedelta | None
    idle: timedelta | None = None
    is_serial: bool = False

    def build_options(self) -> str:
        """PostgreSQL's settings of such a session, as libpq's `options`."""
        limits = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
            "idle_session_timeout": self.idle,
        }
        given = {name: f"{_milliseconds(limit)}ms" for name, limit in limits.items() if limit}
        serial = {"max_parallel_workers_per_gather": "0"} if self.is_serial else {}
        options = given | serial | _SERVER_SIDE
        return " ".join(f"-c {name}={value}" for name, value in options.items())


def _milliseconds(limit: timedelta) -> int:
    return max(1, round(limit.total_seconds() * 1000))


# The server's side of the connection. A statement whose client is gone is ended within a second, and does not run
# to its end. The settings of TCP do nothing on a Unix socket.
_SERVER_SIDE = {
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MS),
}

# People wait for ingest's answers: a request that does not get a lock in this time is answered 503. Between two
# statements of a transaction ingest does nothing but send the next. How long a statement may take is a setting.
INGEST = SessionLimits(
    lock=timedelta(seconds=3),
    statement=None,
    idle_in_transaction=timedelta(seconds=5),
)
# A list over all people may use one core for a while, and not the whole server.
LIST = replace(INGEST, statement=timedelta(seconds=5), is_serial=True)
# A frozen worker must not keep the persist lane or a chunk (docs/decisions/0010-claims-and-leases.md). Idle connections
# may be ended too, because the pool pings a connection before it hands it out.
WORKER = SessionLimits(
    lock=timedelta(seconds=10),
    statement=timedelta(seconds=25),
    idle_in_transaction=timedelta(seconds=5),
    idle=timedelta(seconds=5),
)
# An operator's command may read a large file within a transaction, but not be left suspended in one (Ctrl-Z).
COMMAND = SessionLimits(
    lock=timedelta(seconds=30),
    statement=None,
    idle_in_transaction=timedelta(seconds=30),
)
# While a migration waits for a table, everybody who comes later waits behind it: so it must give up soon.
MIGRATION = SessionLimits(
    lock=timedelta(seconds=3),
    statement=None,
    idle_in_transaction=timedelta(seconds=30),
)


def build_connect_args(application_name: str, limits: SessionLimits) -> dict[str, Any]:
    """The libpq parameters of a session with these limits, with the client's side of the TCP settings."""
    return {
        "application_name": application_name,
        "connect_timeout": CONNECT_SECONDS,
        "options": limits.build_options(),
        "keepalives": 1,
        "keepalives_idle": _IDLE_SECONDS,
        "keepalives_interval": _INTERVAL_SECONDS,
        "keepalives_count": _PROBES,
        "tcp_user_timeout": _UNACKNOWLEDGED_MS,
    }
