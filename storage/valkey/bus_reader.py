"""The reading end of the bus, for the one feed of a gateway process, and what it reads.

An event is lost only if Valkey loses it, and a reader notices that by `Batch.generation` (Valkey was wiped, restarted
or replaced) and by `Batch.surveys` (entries were dropped before they were read). The writing end is `bus.py`.
"""

import asyncio
import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import redis
from redis.asyncio.connection import AbstractConnection

from storage.model.event import Event
from storage.settings import ValkeySettings
from storage.valkey.bus_streams import STREAMS
from storage.valkey.connection import make_async_client, translate_valkey_errors
from storage.valkey.event_json import decode_event

STREAM_SHARDS = {stream.encode(): shard for shard, stream in enumerate(STREAMS)}
BIRTH = "carillon:bus:birth"  # a random word that is gone when Valkey was wiped
# Names the bus's new life after a wipe: the first process sets the name, all of them read the same one. It is allowed
# in a full Valkey.
NAME_GENERATION = """#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""
# Reads birth, surveys and entries at one instant. A script and not MULTI, which a full Redis refuses. KEYS: BIRTH,
# then the streams; ARGV: the limit, then the position to read each stream from. A stream that does not exist yet
# counts as empty.
SURVEY = """
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
    """Where an entry stands in its shard's stream: milliseconds of Valkey's clock, then a number within them."""

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
    """How much a shard's stream has had: `added` entries since it began, of which the oldest `dropped` are gone.

    `last` is the position of the newest. A reader that counts what it reads learns from it what it missed.
    """

    added: int
    dropped: int
    last: Position


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read found: the entries of every shard, in the order of the shard.

    `generation` names the life of the bus. When it changes, Valkey was wiped, restarted or replaced, and events may
    have been lost whatever the positions say. `surveys` has one for each shard, of the same instant as the entries;
    it is None unless the batch comes from a survey.
    """

    generation: str
    entries: list[Entry]
    surveys: tuple[Survey, ...] | None = None


class BusReader:
    """Reads all shards of the bus, for the one feed of a gateway process. One call at a time.

    It has a connection of its own, outside of any pool: a pool reconnects silently, and then nobody would notice
    that events were missed. Every method but `close` raises TransientError when Valkey does not answer; call
    `connect` before anything else then.
    """

    def __init__(self, valkey: ValkeySettings) -> None:
        self._pool = make_async_client(valkey).connection_pool
        self._timeout = valkey.timeout.total_seconds()
        self._connection: AbstractConnection | None = None
        self._run_id = b""

    async def connect(self) -> None:
        """Open a new connection, and learn which run of the server it leads to."""
        await self.close()
        with translate_valkey_errors():
            self._connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            # The driver's timeout is asyncio.wait_for. Before Python 3.12 that drops a cancellation which
            # comes in the moment when it is done, and then a feed cannot be stopped.
            self._connection.socket_timeout = None
            async with asyncio.timeout(self._timeout):
                await self._connection.connect()
            [info] = await self._request([("INFO", "server")], wait=0)
        self._run_id = next(line for line in info.split() if line.startswith(b"run_id:"))

    async def read(self, positions: Sequence[Position], *, limit: int, wait: timedelta) -> Batch:
        """Read up to `limit` entries of each shard after its position; wait up to `wait` for the first one.

        A batch without entries means that none came in time.
        """
        wait_ms = int(wait.total_seconds() * 1000)
        with translate_valkey_errors():
            birth, found = await self._request(
                [("GET", BIRTH), _build_xread(positions, limit, "BLOCK", wait_ms)],
                wait=wait.total_seconds(),
            )
            return Batch(await self._name_generation(birth), _parse_entries(found))

    async def survey(self, positions: Sequence[Position], *, limit: int) -> Batch:
        """Read what there is now, up to `limit` entries of each shard after its position, with `surveys`."""
        keys = (BIRTH, *STREAMS)
        command = ("EVAL", SURVEY, len(keys), *keys, limit, *map(str, positions))
        with translate_valkey_errors():
            [(birth, streams, found)] = await self._request([command], wait=0)
            surveys = tuple(_parse_survey(*stream) for stream in streams)
            return Batch(await self._name_generation(birth), _parse_entries(found), surveys)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.disconnect(nowait=True)

    async def _name_generation(self, birth: bytes | None) -> str:
        if birth is None:
            naming = ("EVAL", NAME_GENERATION, 1, BIRTH, secrets.token_hex(8))
            [birth] = await self._request([naming], wait=0)
        return hashlib.blake2s(self._run_id + (birth or b""), digest_size=4).hexdigest()

    async def _request(self, commands: Sequence[tuple[Any, ...]], *, wait: float) -> list[Any]:
        connection = self._connection
        if connection is None:
            raise redis.ConnectionError("not connected")
        # A timeout of our own: after the driver's, read_response gives None, and an answer that comes late would be
        # taken for that of the next command.
        async with asyncio.timeout(wait + self._timeout):
            await connection.send_packed_command(connection.pack_commands(commands))
            return [await connection.read_response(timeout=math.inf) for _ in commands]


def _build_xread(positions: Sequence[Position], limit: int, *block: Any) -> tuple[Any, ...]:
    return ("XREAD", "COUNT", limit, *block, "STREAMS", *STREAMS, *map(str, positions))


def _parse_entries(found: list[Any] | None) -> list[Entry]:
    return [
        Entry(STREAM_SHARDS[stream], _parse_position(name), fields[1], decode_event(fields[1]))
        for stream, entries in found or ()
        for name, fields in entries
    ]


def _parse_survey(added: int, length: int, last: bytes) -> Survey:
    return Survey(added, added - length, _parse_position(last))


def _parse_position(name: bytes) -> Position:
    ms, _, sequence = name.partition(b"-")
    return Position(int(ms), int(sequence))
