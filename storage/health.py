"""What an operator should know of PostgreSQL and Valkey themselves; asked by `carillon doctor`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Connection, text

from storage import valkey
from storage.bus import PROBE
from storage.settings import ValkeySettings


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


def examine_valkey(settings: ValkeySettings) -> ValkeyHealth:
    """Valkey as it is now. Blocks for its timeout at most; raises TryLater."""
    with valkey.client(settings) as client, valkey.translated():
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
