"""The event bus, both ends: workers and ingest publish, every push gateway reads all of it.

Valkey streams, one a shard (docs/decisions/0012-streams-as-bus.md), kept for a few minutes. A publish is at
least once: what raised TransientError may have been written all the same, so it is published again and readers skip events
whose `key` they have seen. An event is lost only if Valkey loses it, which `Batch.generation` and
`Batch.surveys` let a reader notice.
"""

import asyncio
import hashlib
import math
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection

from storage.model.event import Disconnect, Event
from storage.settings import ValkeySettings
from storage.valkey.bus_streams import STREAMS, BusSettings, BusUse, Writer, tend, use
from storage.valkey.connection import client, translated, valkey_client
from storage.valkey.event_json import decoded

# What publishers and readers need beside this module.
__all__ = [
    "BEGINNING",
    "PROBE",
    "STREAMS",
    "AsyncBus",
    "Batch",
    "Bus",
    "BusReader",
    "BusSettings",
    "BusUse",
    "Entry",
    "Position",
    "Survey",
]

STREAM_SHARDS = {stream.encode(): shard for shard, stream in enumerate(STREAMS)}
DISABLED = "carillon:disabled"  # set of the ids of disabled users, and NOBODY once it is complete
NOBODY = 0
BIRTH = "carillon:bus:birth"  # a random word that is gone when Valkey was wiped
PROBE = "carillon:bus:probe"
# Whoever comes first after a wipe names the new life; everyone reads the same name. Also in a full Valkey.
NAME_LIFE = """#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""
# The same instant of all of it. A script and not MULTI, which a full Redis refuses. KEYS: BIRTH, then the
# streams; ARGV: the limit, then where to read each from. A stream that nobody has written to is no error.
AUDIT = """
local surveys, question = {}, {'XREAD', 'COUNT', ARGV[1], 'STREAMS'}
for i = 2, #KEYS do
  local found = redis.pcall('XINFO', 'STREAM', KEYS[i])
  local facts = {}
  for j = 1, #found, 2 do facts[found[j]] = found[j + 1] end
  surveys[i - 1] = {facts['entries-added'] or 0, facts['length'] or 0, facts['last-generated-id'] or '0-0'}
  question[i + 3] = KEYS[i]
  question[i + #KEYS + 2] = ARGV[i]
end
return {redis.call('GET', KEYS[1]), surveys, redis.call(unpack(question))}
"""


class Position(NamedTuple):
    """Where an entry stands in its shard's stream: Valkey's clock, then a number within the ms."""

    ms: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.sequence}"


BEGINNING = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as one shard carries it; `event` is None if this version cannot read it."""

    shard: int
    position: Position
    payload: bytes
    event: Event | None


@dataclass(frozen=True, slots=True)
class Survey:
    """A shard's stream: entries `added` since it began, of which the `dropped` oldest are gone.

    `last` is the position of the latest. A reader who counts what it reads learns what it missed.
    """

    added: int
    dropped: int
    last: Position


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read found, every shard's entries in its order.

    `generation` names the life of the bus: another one means that Valkey was wiped, restarted or
    replaced since, so that events may have been lost whatever the positions say. `surveys`: one a
    shard, taken at the same instant, if the batch is of an audit.
    """

    generation: str
    entries: list[Entry]
    surveys: tuple[Survey, ...] | None = None


def _parts(user_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """At most 1,000 at a time: one command must not keep the bus from everybody else."""
    return (user_ids[start : start + 1_000] for start in range(0, len(user_ids), 1_000))


class Bus:
    """The publisher of workers and commands; for one thread at a time."""

    def __init__(self, settings: BusSettings, valkey: ValkeySettings) -> None:
        self._settings = settings
        self._writer = Writer(settings)
        self._client = client(valkey)

    def publish(self, events: Sequence[Event]) -> None:
        """Put events on the bus, in this order on every shard; one round trip, unless they are large.

        Raises TransientError if Valkey did not confirm all of it; publishing the same again is harmless.
        """
        for commands in self._writer.rounds(events):
            with translated():
                self._pipelined(commands)

    def disable(self, *user_ids: int, at_ms: int) -> None:
        """Gateways refuse these people from now on and close their connections (contract §5)."""
        for some in _parts(user_ids):
            with translated():
                self._client.sadd(DISABLED, *some)
            self.publish([Disconnect(user_id, at_ms) for user_id in some])

    def enable(self, *user_ids: int) -> None:
        """Gateways let these people in again."""
        for some in _parts(user_ids):
            with translated():
                self._client.srem(DISABLED, *some)

    def knows_disabled(self) -> bool:
        """Whether `remember_disabled` was called since Valkey was last wiped."""
        with translated():
            return bool(self._client.sismember(DISABLED, str(NOBODY)))

    def disabled(self) -> frozenset[int]:
        """Everyone whom gateways refuse."""
        with translated():
            marks = self._client.smembers(DISABLED)
        return frozenset(map(int, marks)) - {NOBODY}

    def disabled_count(self) -> int:
        """How many gateways refuse; counts in NOBODY's mark, which is there (`knows_disabled`)."""
        with translated():
            return int(self._client.scard(DISABLED)) - 1

    def remember_disabled(self, user_ids: Sequence[int]) -> None:
        """Bring the marks back: gateways refuse these people, and find those who are connected."""
        for some in _parts((*user_ids, NOBODY)):
            with translated():
                self._client.sadd(DISABLED, *some)

    def tend(self) -> BusUse:
        """Trim what is old or too much, by Valkey's own clock and memory; what is left.

        Works in a Valkey that is full. Safe to call often and from everywhere: within a second of another
        call nothing is done, and the answer is that one's.
        """
        with translated():
            return use(self._client.eval(*tend(self._settings)))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _pipelined(self, commands: Iterable[Sequence[Any]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute()


class AsyncBus:
    """The bus of processes with an event loop, which publish nothing: who is disabled, and its care."""

    def __init__(self, settings: BusSettings, valkey: ValkeySettings) -> None:
        self._settings = settings
        self._client = valkey_client(valkey)

    async def disabled_among(self, user_ids: Collection[int]) -> frozenset[int]:
        """Which of these people are disabled, in one round trip."""
        with translated():
            marks = await self._client.smismember(DISABLED, list(map(str, user_ids)))
        return frozenset(user_id for user_id, mark in zip(user_ids, marks, strict=True) if mark)

    async def tend(self) -> BusUse:
        """As `Bus.tend`."""
        with translated():
            return use(await self._client.eval(*tend(self._settings)))

    async def probe(self) -> None:
        """Raises TransientError unless Valkey takes a write: away, full, its disk full or a replica it does not."""
        with translated():
            await self._client.set(PROBE, 1, px=1_000)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


class BusReader:
    """The reading end, for the one feed of a gateway process. One call at a time.

    It holds a connection of its own, outside of any pool: a pool reconnects silently, and what was
    missed meanwhile would go unnoticed. After any TransientError call `connect` again.
    """

    def __init__(self, valkey: ValkeySettings) -> None:
        self._pool = valkey_client(valkey).connection_pool
        self._timeout = valkey.timeout.total_seconds()
        self._connection: AbstractConnection | None = None
        self._run_id = b""

    async def connect(self) -> None:
        """Connect anew and learn which run of the server this is; TransientError if it is away."""
        await self.close()
        with translated():
            self._connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            # The driver's timeout is asyncio.wait_for, which before Python 3.12 drops a cancellation that
            # comes when it is done: one in three feeds could not be stopped under load.
            self._connection.socket_timeout = None
            async with asyncio.timeout(self._timeout):
                await self._connection.connect()
            [info] = await self._asked([("INFO", "server")], wait=0)
        self._run_id = next(line for line in info.split() if line.startswith(b"run_id:"))

    async def read(self, positions: Sequence[Position], *, limit: int, wait: timedelta) -> Batch:
        """Up to `limit` entries a shard after `positions`; waits up to `wait` for the first."""
        wait_ms = int(wait.total_seconds() * 1000)
        with translated():
            birth, found = await self._asked(
                [("GET", BIRTH), _xread(positions, limit, "BLOCK", wait_ms)],
                wait=wait.total_seconds(),
            )
            return Batch(await self._generation(birth), _entries(found))

    async def audit(self, positions: Sequence[Position], *, limit: int) -> Batch:
        """As `read`, without waiting, and with `surveys`."""
        keys = (BIRTH, *STREAMS)
        command = ("EVAL", AUDIT, len(keys), *keys, limit, *map(str, positions))
        with translated():
            [(birth, streams, found)] = await self._asked([command], wait=0)
            surveys = tuple(_survey(*stream) for stream in streams)
            return Batch(await self._generation(birth), _entries(found), surveys)

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.disconnect(nowait=True)

    async def _generation(self, birth: bytes | None) -> str:
        if birth is None:
            naming = ("EVAL", NAME_LIFE, 1, BIRTH, secrets.token_hex(8))
            [birth] = await self._asked([naming], wait=0)
        return hashlib.blake2s(self._run_id + (birth or b""), digest_size=4).hexdigest()

    async def _asked(self, commands: Sequence[tuple[Any, ...]], *, wait: float) -> list[Any]:
        connection = self._connection
        if connection is None:
            raise redis.ConnectionError("not connected")
        # Our own timeout: past the driver's, read_response answers None, and the answers that come
        # after all would be taken for those of later questions.
        async with asyncio.timeout(wait + self._timeout):
            await connection.send_packed_command(connection.pack_commands(commands))
            return [await connection.read_response(timeout=math.inf) for _ in commands]


def _xread(positions: Sequence[Position], limit: int, *block: Any) -> tuple[Any, ...]:
    return ("XREAD", "COUNT", limit, *block, "STREAMS", *STREAMS, *map(str, positions))


def _entries(found: list[Any] | None) -> list[Entry]:
    return [
        Entry(STREAM_SHARDS[stream], _position(name), fields[1], decoded(fields[1]))
        for stream, entries in found or ()
        for name, fields in entries
    ]


def _survey(added: int, length: int, last: bytes) -> Survey:
    return Survey(added, added - length, _position(last))


def _position(name: bytes) -> Position:
    ms, _, sequence = name.partition(b"-")
    return Position(int(ms), int(sequence))
