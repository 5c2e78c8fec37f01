"""The bus's streams in Valkey: how they are written, and kept within age, length and bytes.

Used by `bus.py`. The streams are for clients that were away for a moment, so they give way to everything else in
Valkey (rings, tickets, limits): entries go when they are old, when a shard has used its bytes, and when Valkey's
memory is short, whether or not anything is being written. A client that missed what is gone is told RESYNC
(contract §5).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from storage.model.event import Event
from storage.setting_parsers import duration, whole_number
from storage.settings import setting
from storage.valkey.event_json import SHARDS, encode_event

STREAMS = tuple(f"carillon:bus:{shard}" for shard in range(SHARDS))
USE = "carillon:bus:use"  # what the last trimming found, for a second
TRIM_EVERY_SECONDS = 5.0  # by a publisher; gateways and the sweep trim every second
# Bytes of one shard in one command: Valkey counts a command that is arriving among its memory.
PART_BYTES = 1 << 20

# Adds all of a shard's entries in one command: redis-py is slow for each command
# (docs/decisions/0012-streams-as-bus.md). The script is sent as text and not by its digest, because Valkey forgets
# scripts when it restarts. A full Valkey refuses XADD but not XTRIM, and a script that has trimmed may add, because
# memory is checked at the start of a script: so the older half of the shard makes room for what is new.
ADD_ALL = """
local function add(entry)
  return redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'e', entry)
end
local name
for i = 2, #ARGV do
  name = add(ARGV[i])
  if type(name) == 'table' and string.find(name.err, 'OOM', 1, true) then
    redis.call('XTRIM', KEYS[1], 'MAXLEN', math.floor(redis.call('XLEN', KEYS[1]) / 2))
    name = add(ARGV[i])
  end
  if type(name) == 'table' then return name end
end
return name
"""

# Trims every shard; answers "entries bytes used limit". KEYS: USE, then the streams. ARGV: milliseconds
# kept, bytes a shard, and 1 to trim even if somebody did within the second.
# All shards together take at most half of a Valkey with a memory limit, and less when its memory is nearly used up;
# the largest give way first. On a server that does not tell its memory to scripts, age and length alone count. XTRIM
# takes no memory, and after it a script may SET however full Valkey is.
TRIM = """
if ARGV[3] ~= '1' then
  local known = redis.call('GET', KEYS[1])
  if known then return known end
end
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])

local function bytes_of(stream)
  local bytes = redis.pcall('MEMORY', 'USAGE', stream, 'SAMPLES', 0)
  return type(bytes) == 'number' and bytes or 0
end
local function shrink(stream, most)
  local bytes = bytes_of(stream)
  while bytes > most do
    local length = redis.call('XLEN', stream)
    if length == 0 then break end
    redis.call('XTRIM', stream, 'MAXLEN', math.floor(length * most / bytes))
    bytes = bytes_of(stream)
  end
  return bytes
end
local function shrink_all(most)
  local total = 0
  for i = 2, #KEYS do total = total + shrink(KEYS[i], most) end
  return total
end

for i = 2, #KEYS do
  redis.call('XTRIM', KEYS[i], 'MINID', '~', string.format('%.0f', math.max(0, oldest)))
end
local most = tonumber(ARGV[2])
local total = shrink_all(most)

local memory = redis.pcall('INFO', 'memory')
local function figure(name)
  return type(memory) == 'string' and tonumber(string.match(memory, '\\n' .. name .. ':(%d+)')) or 0
end
local limit = figure('maxmemory')
local used = figure('used_memory') - figure('mem_not_counted_for_evict')
if limit > 0 then
  local may = limit / 2
  if used > 0.9 * limit then may = math.min(may, total - (used - 0.8 * limit)) end
  while total > may and most > 1024 do
    most = most / 2
    total = shrink_all(most)
  end
end

local entries = 0
for i = 2, #KEYS do entries = entries + redis.call('XLEN', KEYS[i]) end
local found = string.format('%d %d %d %d', entries, total, used, limit)
redis.call('SET', KEYS[1], found, 'PX', 900)
return found
"""


@dataclass(frozen=True, slots=True)
class BusSettings:
    """How much of the past the bus keeps."""

    kept: timedelta = setting(
        "CARILLON_BUS_SECONDS",
        timedelta(minutes=5),
        parse=duration(1, 86_400),
        help="Seconds an event is kept: a client that was away longer has to read over REST again.",
    )
    length: int = setting(
        "CARILLON_BUS_LENGTH",
        20_000,
        parse=whole_number(100, 10_000_000),
        help="Events each of the 16 shards keeps at most.",
    )
    shard_bytes: int = setting(
        "CARILLON_BUS_SHARD_BYTES",
        16 * 1024 * 1024,
        parse=whole_number(64 * 1024, 64 * 1024**3),
        help="Bytes of Valkey's memory that each of the 16 shards keeps at most (256 MiB together), and all of "
        "them never over half of Valkey's `maxmemory`; over it the oldest events go.",
    )


@dataclass(frozen=True, slots=True)
class BusUsage:
    """How many entries and bytes the bus keeps, and how many bytes of its limit Valkey uses in all (0: no limit)."""

    entries: int
    bytes: int
    used_bytes: int
    limit_bytes: int


class StreamWriter:
    """Turns events into commands for Valkey, and adds the command that trims the streams when it is due.

    Each publisher has one of its own.
    """

    def __init__(
        self, settings: BusSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._written = 0
        self._trimmed_at = float("-inf")

    def build_rounds(self, events: Iterable[Event]) -> Iterator[list[tuple[Any, ...]]]:
        """The commands that write `events`, in rounds: each round is sent when the one before it was confirmed.

        After an error no further round may be sent, or the order of events is lost. There is one round, unless a
        shard is given more than PART_BYTES.
        """
        payloads: dict[int, list[bytes]] = {}
        for event in events:
            for shard, payload in encode_event(event):
                payloads.setdefault(shard, []).append(payload)
        parts = {shard: list(_split(entries)) for shard, entries in payloads.items()}
        for number in range(max(map(len, parts.values()), default=0)):
            commands = [
                self._build_add_command(shard, theirs[number])
                for shard, theirs in parts.items()
                if number < len(theirs)
            ]
            yield commands + self._trim_if_due()

    def _build_add_command(self, shard: int, entries: list[bytes]) -> tuple[Any, ...]:
        self._written += sum(map(len, entries))
        return ("EVAL", ADD_ALL, 1, STREAMS[shard], self._settings.length, *entries)

    def _trim_if_due(self) -> list[tuple[Any, ...]]:
        """The command that trims, if this publisher has written much since the last one, or that was a while ago.

        So a shard exceeds its bytes by half as many for each publisher, at most.
        """
        now = self._clock()
        is_due = now - self._trimmed_at > TRIM_EVERY_SECONDS
        is_much = self._written > self._settings.shard_bytes // 2
        if not is_due and not is_much:
            return []
        self._written, self._trimmed_at = 0, now
        return [("EVAL", *build_trim_command(self._settings, at_once=is_much))]


def build_trim_command(settings: BusSettings, *, at_once: bool = False) -> tuple[Any, ...]:
    """The arguments of an EVAL that trims every shard; `parse_usage` reads its answer.

    It does nothing if somebody trimmed within the last second, unless `at_once`.
    """
    kept_ms = int(settings.kept.total_seconds() * 1000)
    keys = (USE, *STREAMS)
    return (TRIM, len(keys), *keys, kept_ms, settings.shard_bytes, int(at_once))


def parse_usage(answer: bytes) -> BusUsage:
    """What is left after trimming, from the answer of the script."""
    return BusUsage(*map(int, answer.split()))


def _split(entries: list[bytes]) -> Iterator[list[bytes]]:
    """The entries in order, in parts of PART_BYTES at most; a longer entry is a part of its own."""
    if sum(map(len, entries)) <= PART_BYTES:
        yield entries
        return
    part: list[bytes] = []
    size = 0
    for entry in entries:
        if part and size + len(entry) > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry)
    if part:
        yield part
