"""What each push gateway process reports of itself now and then; shown by the console and `carillon top`.

It is one hash in Valkey, with a field for each process. A process that has not reported for a few seconds does not
count. Times are Valkey's, so that the clocks of different machines are not compared.
"""

from dataclasses import dataclass
from typing import Any

from storage.settings import ValkeySettings
from storage.valkey.connection import make_async_client, make_client, translate_valkey_errors

GATEWAYS = "carillon:gateways"
FRESH_SECONDS = 5
_REPORT = """
local time = redis.call('TIME')
return redis.call('HSET', KEYS[1], ARGV[1], time[1] .. ' ' .. ARGV[2])
"""
# The reports of processes that were killed are removed when somebody reads.
_READ = """
local now = tonumber(redis.call('TIME')[1])
local found = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, counts = string.match(all[i + 1], '^(%d+) (.*)$')
  if now - tonumber(at) <= tonumber(ARGV[1]) then
    found[#found + 1] = counts
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return found
"""


@dataclass(frozen=True, slots=True)
class GatewayCounts:
    """The counts of one process, or of all together.

    `frames` were written since the process started; `buffered_bytes` wait for slow sockets.
    """

    processes: int
    sockets: int
    frames: int
    buffered_bytes: int


class GatewayReports:
    """Both ends, for processes with an event loop. Every method raises TransientError when Valkey does not answer."""

    def __init__(self, valkey: ValkeySettings) -> None:
        self._client = make_async_client(valkey)

    async def report(self, name: str, counts: GatewayCounts) -> None:
        """Report the counts of the process `name`, which no other process may have."""
        text = f"{counts.sockets} {counts.frames} {counts.buffered_bytes}"
        with translate_valkey_errors():
            await self._client.eval(_REPORT, 1, GATEWAYS, name, text)

    async def forget(self, name: str) -> None:
        """Remove the report of a process that ends."""
        with translate_valkey_errors():
            await self._client.hdel(GATEWAYS, name)

    async def read_counts(self) -> GatewayCounts:
        """Add up the counts of all processes that reported lately."""
        with translate_valkey_errors():
            return _add_up(await self._client.eval(_READ, 1, GATEWAYS, str(FRESH_SECONDS)))

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def read_counts(valkey: ValkeySettings) -> GatewayCounts:
    """Add up the counts of all processes that reported lately, for a command: it opens a connection of its own.

    Raises TransientError when Valkey does not answer.
    """
    with translate_valkey_errors(), make_client(valkey) as connection:
        return _add_up(connection.eval(_READ, 1, GATEWAYS, str(FRESH_SECONDS)))


def _add_up(found: Any) -> GatewayCounts:
    counts = [tuple(map(int, text.split())) for text in found]
    sockets, frames, buffered = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    )
    return GatewayCounts(len(counts), sockets, frames, buffered)
