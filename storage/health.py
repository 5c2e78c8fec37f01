"""The state of the servers, PostgreSQL and Valkey, for `carillon doctor`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Connection, text

from storage.settings import ValkeySettings
from storage.valkey.bus import PROBE
from storage.valkey.connection import make_client, translate_valkey_errors


@dataclass(frozen=True, slots=True)
class RecordHealth:
    """The state of PostgreSQL.

    `version` is a number such as 170004; `now` its clock; `is_durable` whether a commit survives a power cut;
    `months_ahead` how many months after this one have their partitions, without a gap; `connections_left` how many
    more sessions it would accept.
    """

    version: int
    now: datetime
    is_durable: bool
    months_ahead: int
    connections_left: int


@dataclass(frozen=True, slots=True)
class ValkeyHealth:
    """The state of Valkey or Redis.

    `policy` is what it does when it is full; `limit_bytes` is 0 without a limit; `now` is its clock; `refusal` is its
    own reason for refusing writes (full, its disk full, a replica), "" if it takes them.
    """

    policy: str
    used_bytes: int
    limit_bytes: int
    now: datetime
    refusal: str


# Partitions are named after their month (add_message_months in m0001).
_EXAMINE = text("""
SELECT current_setting('server_version_num')::int AS version,
       clock_timestamp() AS now,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
         AND current_setting('synchronous_commit') <> 'off' AS is_durable,
       (SELECT coalesce(min(ahead), 13) - 1 FROM generate_series(1, 12) AS ahead
         WHERE to_regclass('messages' || to_char(
                 date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead::int),
                 '"_y"YYYY"m"MM')) IS NULL) AS months_ahead,
       current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend') AS connections_left
""")


def examine_postgres(connection: Connection) -> RecordHealth:
    """Read the state of PostgreSQL."""
    row = connection.execute(_EXAMINE).one()
    return RecordHealth(
        version=row.version,
        now=row.now,
        is_durable=row.is_durable,
        months_ahead=row.months_ahead,
        connections_left=row.connections_left,
    )


@dataclass(frozen=True, slots=True)
class BlockingSession:
    """A session that others wait for.

    `pid` is its process in the server, `name` its application or role; its transaction is open for `seconds`;
    `waiting` others wait for it.
    """

    pid: int
    name: str
    seconds: float
    waiting: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that hold others up, the oldest transaction, and whether our own role is a superuser."""

    holding: tuple[BlockingSession, ...]
    oldest_seconds: float
    oldest_name: str
    is_superuser: bool


_HOLDING = text("""
SELECT b.pid, coalesce(nullif(b.application_name, ''), b.usename, '?') AS name,
       coalesce(extract(epoch FROM clock_timestamp() - b.xact_start), 0) AS seconds, count(*) AS waiting
  FROM pg_stat_activity w
 CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocking(pid)
  JOIN pg_stat_activity b ON b.pid = blocking.pid
 WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
   AND clock_timestamp() - w.state_change > CAST(:wait AS interval)
 GROUP BY b.pid, b.application_name, b.usename, b.xact_start ORDER BY waiting DESC, b.pid LIMIT 5
""")
_OLDEST = text("""
SELECT coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0) AS seconds,
       coalesce(nullif(application_name, ''), usename, '?') AS name
  FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
 ORDER BY xact_start NULLS LAST LIMIT 1
""")
_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")


def examine_sessions(connection: Connection, *, wait: timedelta) -> Sessions:
    """Find the sessions that others have waited for longer than `wait`, and the oldest transaction.

    `wait` should be longer than the ordinary waits between batches and chunks. Names and times of other roles' sessions
    are visible only to a role that may read all statistics.
    """
    holding = connection.execute(_HOLDING, {"wait": wait}).all()
    oldest = connection.execute(_OLDEST).one()
    return Sessions(
        tuple(
            BlockingSession(one.pid, one.name, float(one.seconds), one.waiting) for one in holding
        ),
        oldest_seconds=float(oldest.seconds),
        oldest_name=oldest.name,
        is_superuser=bool(connection.execute(_IS_SUPERUSER).scalar_one()),
    )


def examine_valkey(settings: ValkeySettings) -> ValkeyHealth:
    """Read the state of Valkey. Blocks for the settings' timeout at most; raises TransientError when it does not answer."""
    with make_client(settings) as client, translate_valkey_errors():
        memory = client.info("memory")
        seconds, microseconds = client.time()
        refusal = _find_refusal(client)
    instant = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    return ValkeyHealth(
        policy=str(memory["maxmemory_policy"]),
        used_bytes=int(memory["used_memory"]),
        limit_bytes=int(memory["maxmemory"]),
        now=instant,
        refusal=refusal,
    )


def _find_refusal(client: redis.Redis) -> str:
    try:
        client.set(PROBE, 1, px=1_000)
    except redis.ResponseError as error:
        return str(error)
    return ""
