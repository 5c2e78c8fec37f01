"""What an operator should know of PostgreSQL and Valkey themselves; asked by `carillon doctor`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Connection, text

from storage.settings import ValkeySettings
from storage.valkey.bus import PROBE
from storage.valkey.connection import make_client, translate_valkey_errors


@dataclass(frozen=True, slots=True)
class RecordHealth:
    """PostgreSQL: `version` as 170004, its clock, whether a commit survives a power cut.

    `months_ahead`: months after this one that have their partitions, without a gap. `connections_left`: how many more
    sessions it would take.
    """

    version: int
    now: datetime
    is_durable: bool
    months_ahead: int
    connections_left: int


@dataclass(frozen=True, slots=True)
class ValkeyHealth:
    """Valkey or Redis: what it does when it is full, bytes in use and allowed (0: no limit), its clock.

    `refusal`: why it refuses writes (full, its disk full, a replica), in its own words; "" if it takes them.
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


def examine(connection: Connection) -> RecordHealth:
    """PostgreSQL as it is now."""
    row = connection.execute(_EXAMINE).one()
    return RecordHealth(
        version=row.version,
        now=row.now,
        is_durable=row.is_durable,
        months_ahead=row.months_ahead,
        connections_left=row.connections_left,
    )


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A session that others wait for: `pid` of the server, whose it is, for how long its transaction is open."""

    pid: int
    name: str
    seconds: float
    waiting: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Who is signed in: those that hold others up, the oldest transaction, and whether we are a superuser."""

    holding: tuple[HeldUp, ...]
    oldest_seconds: float
    oldest_name: str
    is_superuser: bool


# A lock that is waited for this long is not the ordinary traffic of batches and chunks.
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


def sessions(connection: Connection, *, wait: timedelta) -> Sessions:
    """Whose sessions others have waited for longer than `wait`, and how old the oldest transaction is.

    Of other roles' sessions only who may read all statistics sees names and times.
    """
    holding = connection.execute(_HOLDING, {"wait": wait}).all()
    oldest = connection.execute(_OLDEST).one()
    return Sessions(
        tuple(HeldUp(one.pid, one.name, float(one.seconds), one.waiting) for one in holding),
        oldest_seconds=float(oldest.seconds),
        oldest_name=oldest.name,
        is_superuser=bool(connection.execute(_IS_SUPERUSER).scalar_one()),
    )


def examine_valkey(settings: ValkeySettings) -> ValkeyHealth:
    """Valkey as it is now. Blocks for its timeout at most; raises TransientError."""
    with make_client(settings) as client, translate_valkey_errors():
        memory = client.info("memory")
        seconds, microseconds = client.time()
        refusal = _refusal(client)
    instant = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    return ValkeyHealth(
        policy=str(memory["maxmemory_policy"]),
        used_bytes=int(memory["used_memory"]),
        limit_bytes=int(memory["maxmemory"]),
        now=instant,
        refusal=refusal,
    )


def _refusal(client: redis.Redis) -> str:
    try:
        client.set(PROBE, 1, px=1_000)
    except redis.ResponseError as error:
        return str(error)
    return ""
