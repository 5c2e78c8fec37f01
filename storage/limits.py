"""What an app may send: a token bucket and a daily quota, shared by every ingest process through Valkey.

Called by ingest before an app's send is accepted. A limit protects the others; it is no promise. So
when Valkey is away or slow the send passes, and that is counted (design §8).
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from redis.exceptions import RedisError

from storage.model.errors import OverLimit
from storage.settings import ValkeySettings, duration, setting, whole
from storage.valkey import valkey_client


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """The share of one app, the same for all."""

    rate_per_second: int = setting(
        "CARILLON_APP_RATE_PER_SECOND",
        0,
        parse=whole(0, 1_000_000),
        help="Messages an app may send per second in the long run; over it 429. 0: no limit.",
    )
    burst: int = setting(
        "CARILLON_APP_BURST",
        0,
        parse=whole(0, 1_000_000),
        help="Messages an app may send at once after a pause. 0: as many as in one second.",
    )
    daily_quota: int = setting(
        "CARILLON_APP_DAILY_QUOTA",
        0,
        parse=whole(0, 2**31),
        help="Messages an app may send per day (UTC); over it 429. 0: no limit.",
    )
    wait: timedelta = setting(
        "CARILLON_APP_LIMIT_WAIT_SECONDS",
        timedelta(milliseconds=50),
        parse=duration(0.001, 10),
        help="How long a send waits for the limits to be checked before it passes unchecked.",
    )


# One key an app, so that it works on a cluster, and Valkey's clock, so that processes agree. Nothing is
# taken from the one when the other refuses. More than a full bucket holds passes when it is full and
# leaves it in debt: a batch of 500 works with any burst, and the long run's rate still holds.
# Answers the milliseconds to wait; 0 means taken.
_TAKE = """
local rate, burst, quota, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local today = math.floor(now / 86400000)
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'day', 'used')
local wait = 0

local tokens = burst
if rate > 0 and kept[1] then
  local passed = math.max(0, now - tonumber(kept[2]))
  tokens = math.min(burst, tonumber(kept[1]) + passed * rate / 1000)
end
local missing = math.min(count, burst) - tokens
if rate > 0 and missing > 0 then wait = math.ceil(missing * 1000 / rate) end

local used = 0
if kept[3] and tonumber(kept[3]) == today then used = tonumber(kept[4]) end
if quota > 0 and used + count > quota then wait = math.max(wait, (today + 1) * 86400000 - now) end
if wait > 0 then return wait end

redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens - count), 'at', now,
  'day', today, 'used', used + count)
redis.call('EXPIRE', KEYS[1], 172800)
return 0
"""


class Limits:
    """The limits of every app. `passed_unchecked` counts the sends that Valkey could not be asked about."""

    def __init__(self, valkey_settings: ValkeySettings, limit_settings: LimitSettings) -> None:
        self._settings = limit_settings
        self._valkey = valkey_client(replace(valkey_settings, timeout=limit_settings.wait))
        self._take = self._valkey.register_script(_TAKE)
        self.passed_unchecked = 0

    async def take(self, app_id: int, *, count: int = 1) -> None:
        """Use up `count` messages of the app's share (its integer id): all of them, or none.

        Raises OverLimit with the seconds after which the same take will do (the quota: at midnight
        UTC; a count above the whole quota never will). One round trip, none when nothing is limited;
        returns within the settings' wait whatever Valkey does.
        """
        settings = self._settings
        if settings.rate_per_second == 0 and settings.daily_quota == 0:
            return
        try:
            async with asyncio.timeout(settings.wait.total_seconds()):
                wait_ms = await self._ask(app_id, count=count)
        except (RedisError, OSError, TimeoutError):
            self.passed_unchecked += 1
            return
        if wait_ms > 0:
            raise OverLimit(
                "The app has sent too much for now.", retry_after_seconds=wait_ms / 1000
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._valkey.aclose()

    async def _ask(self, app_id: int, *, count: int) -> int:
        settings = self._settings
        burst = settings.burst or settings.rate_per_second
        args = [settings.rate_per_second, burst, settings.daily_quota, count]
        return int(await self._take(keys=[f"carillon:limit:{app_id}"], args=args))
