"""What every push gateway process says of itself now and then; for who watches (console, `carillon top`).

One hash in Valkey, a field a process; who was not heard of for a few seconds does not count. Times are
Valkey's, so that no clocks are compared.
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
# Those of processes that were killed are taken out by whoever looks.
_LOOK = """
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
    """Of one process, or of all together: `frames` written since it started, `buffered_bytes` waiting."""

    processes: int
    sockets: int
    frames: int
    buffered_bytes: int


class GatewayReports:
    """Both ends, for processes with an event loop. Every method raises TransientError without Valkey."""

    def __init__(self, valkey: ValkeySettings) -> None:
        self._client = make_async_client(valkey)

    async def report(self, name: str, counts: GatewayCounts) -> None:
        """Say how a process is doing; `name` is that of no other."""
        text = f"{counts.sockets} {counts.frames} {counts.buffered_bytes}"
        with translate_valkey_errors():
            await self._client.eval(_REPORT, 1, GATEWAYS, name, text)

    async def forget(self, name: str) -> None:
        """Say that a process ends."""
        with translate_valkey_errors():
            await self._client.hdel(GATEWAYS, name)

    async def read_counts(self) -> GatewayCounts:
        """All that were heard of lately, together."""
        with translate_valkey_errors():
            return _together(await self._client.eval(_LOOK, 1, GATEWAYS, str(FRESH_SECONDS)))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def read_counts(valkey: ValkeySettings) -> GatewayCounts:
    """As `GatewayReports.read_counts`, for a command; on a connection of its own."""
    with translate_valkey_errors(), make_client(valkey) as connection:
        return _together(connection.eval(_LOOK, 1, GATEWAYS, str(FRESH_SECONDS)))


def _together(found: Any) -> GatewayCounts:
    counts = [tuple(map(int, text.split())) for text in found]
    sockets, frames, buffered = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    )
    return GatewayCounts(len(counts), sockets, frames, buffered)
