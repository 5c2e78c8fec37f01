"""What every session of the record is told: how long it may hold what others wait for.

A process that hangs, or a host that vanishes without a word, must not keep a lock of PostgreSQL: the server
ends its session in seconds, and the process finds its connection lost when it goes on. `database.py` opens
every connection with one of these limits.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

# A side that vanished is found out by the other in about ten seconds, in the middle of a question (data that
# nobody acknowledges) and between two (probes), where the system's own times are 2 hours (tcp(7)).
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 4, 2, 3
_UNACKNOWLEDGED_MS = 8_000
CONNECT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session may wait for a lock, run a statement, and be silent in a transaction or outside of one.

    None: as long as it likes. Over a limit PostgreSQL cancels the statement or, where it is silent, ends the
    session, and with it its locks. `is_serial`: no statement is helped by parallel workers of the server.
    """

    lock: timedelta | None
    statement: timedelta | None
    idle_in_transaction: timedelta | None
    idle: timedelta | None = None
    is_serial: bool = False

    def options(self) -> str:
        """PostgreSQL's settings of such a session, as libpq's `options`."""
        limits = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
            "idle_session_timeout": self.idle,
        }
        given = {name: f"{_milliseconds(limit)}ms" for name, limit in limits.items() if limit}
        alone = {"max_parallel_workers_per_gather": "0"} if self.is_serial else {}
        told = given | alone | _BY_THE_SERVER
        return " ".join(f"-c {name}={value}" for name, value in told.items())


def _milliseconds(limit: timedelta) -> int:
    return max(1, round(limit.total_seconds() * 1000))


# The server's side of the connection. A statement whose client is gone ends within a second, and not when it is
# done. Those of TCP are for its own sockets only: on a Unix socket they do nothing.
_BY_THE_SERVER = {
    "client_connection_check_interval": "1s",
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MS),
}

# Ingest answers people who wait: who cannot have a lock in this time is answered 503. No transaction of it has
# anything to do between two statements but to send the next. (Its statements: DatabaseSettings.)
INGEST = SessionLimits(
    lock=timedelta(seconds=3),
    statement=None,
    idle_in_transaction=timedelta(seconds=5),
)
# A list over everybody may take a core for a while, and not the whole server.
LIST = replace(INGEST, statement=timedelta(seconds=5), is_serial=True)
# A frozen worker must not keep the persist lane or a chunk (docs/decisions/0010-claims-and-leases.md): longer than any
# drain, shorter than a person waits. The pool asks a connection before it hands it out, so silent ones may be ended too.
WORKER = SessionLimits(
    lock=timedelta(seconds=10),
    statement=timedelta(seconds=25),
    idle_in_transaction=timedelta(seconds=5),
    idle=timedelta(seconds=5),
)
# An operator's command may read a million rows of a file within a transaction, but not be forgotten in one (Ctrl-Z).
COMMAND = SessionLimits(
    lock=timedelta(seconds=30),
    statement=None,
    idle_in_transaction=timedelta(seconds=30),
)
# Everyone who comes after a change of the schema that waits for a table waits too: it must give up soon.
MIGRATION = SessionLimits(
    lock=timedelta(seconds=3),
    statement=None,
    idle_in_transaction=timedelta(seconds=30),
)


def connect_args(application_name: str, limits: SessionLimits) -> dict[str, Any]:
    """What psycopg is given for such a session: libpq's parameters, with the client's side of the connection."""
    return {
        "application_name": application_name,
        "connect_timeout": CONNECT_SECONDS,
        "options": limits.options(),
        "keepalives": 1,
        "keepalives_idle": _IDLE_SECONDS,
        "keepalives_interval": _INTERVAL_SECONDS,
        "keepalives_count": _PROBES,
        "tcp_user_timeout": _UNACKNOWLEDGED_MS,
    }
