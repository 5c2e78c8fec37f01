"""Rate limits of callers: token buckets and a daily quota, which all ingest processes share through Valkey.

Called by ingest before it accepts a send, grants an upload or looks up a list. A limit protects other callers and
promises nothing: when Valkey is away or slow the request passes, and that is counted
(docs/decisions/0029-limits-of-callers.md).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from redis.exceptions import RedisError

from storage.model.error_codes import ErrorCode
from storage.model.errors import OverLimit
from storage.setting_parsers import duration, whole_number
from storage.settings import ValkeySettings, setting
from storage.valkey.connection import make_async_client

_SECOND = 1.0
_SECONDS_A_MINUTE = 60
_SECONDS_AN_HOUR = 3600
# People whose last sends a process remembers at most; then it forgets all of them.
_MAX_COUNTED = 100_000


class Quota(StrEnum):
    """What is limited, each by itself. The value is part of the key in Valkey."""

    APP_SENDS = "limit"
    APP_PREVIEWS = "limit-previews"
    PERSON_SENDS = "limit-sends"
    PERSON_UPLOADS = "limit-uploads"
    PERSON_LISTS = "limit-lists"


_SENTENCES = {
    Quota.APP_SENDS: "The app has sent too much for now.",
    Quota.APP_PREVIEWS: "The app has previewed too much for now.",
    Quota.PERSON_SENDS: "You have sent too much for now.",
    Quota.PERSON_UPLOADS: "You have uploaded too much for now.",
    Quota.PERSON_LISTS: "You have searched and listed too much for now.",
}


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one app, and one person, may ask for; the same for all."""

    rate_per_second: int = setting(
        "CARILLON_APP_RATE_PER_SECOND",
        0,
        parse=whole_number(0, 1_000_000),
        help="Messages an app may send per second in the long run; over it 429. 0: no limit.",
    )
    burst: int = setting(
        "CARILLON_APP_BURST",
        0,
        parse=whole_number(0, 1_000_000),
        help="Messages an app may send at once after a pause. 0: as many as in one second.",
    )
    daily_quota: int = setting(
        "CARILLON_APP_DAILY_QUOTA",
        0,
        parse=whole_number(0, 2**31),
        help="Messages an app may send per day (UTC); over it 429. 0: no limit.",
    )
    previews: int = setting(
        "CARILLON_APP_PREVIEWS_PER_MINUTE",
        60,
        parse=whole_number(0, 1_000_000),
        help="Previews of broadcasts an app may ask for per minute, all of them at once; over it 429. 0: no limit.",
    )
    person_rate: int = setting(
        "CARILLON_PERSON_RATE_PER_SECOND",
        10,
        parse=whole_number(0, 1_000_000),
        help="Messages a person may send per second in the long run; over it 429. 0: no limit.",
    )
    person_burst: int = setting(
        "CARILLON_PERSON_BURST",
        50,
        parse=whole_number(0, 1_000_000),
        help="Messages a person may send at once after a pause. 0: as many as in one second.",
    )
    person_uploads: int = setting(
        "CARILLON_PERSON_UPLOADS_PER_HOUR",
        60,
        parse=whole_number(0, 1_000_000),
        help="Uploads a person may begin per hour, all of them at once; over it 429. 0: no limit.",
    )
    person_lists: int = setting(
        "CARILLON_PERSON_LISTS_PER_SECOND",
        30,
        parse=whole_number(0, 1_000_000),
        help="Lists and searches of people and apps a person may ask for per second; over it 429. "
        "0: no limit.",
    )
    wait: timedelta = setting(
        "CARILLON_APP_LIMIT_WAIT_SECONDS",
        timedelta(milliseconds=50),
        parse=duration(0.001, 10),
        help="How long a request waits for the limits to be checked before it passes unchecked.",
    )

    def budget(self, quota: Quota) -> "Budget":
        """The limits of this quota."""
        match quota:
            case Quota.APP_SENDS:
                return Budget(
                    self.rate_per_second, self.burst or self.rate_per_second, self.daily_quota
                )
            case Quota.APP_PREVIEWS:
                return Budget(self.previews / _SECONDS_A_MINUTE, self.previews)
            case Quota.PERSON_SENDS:
                return Budget(self.person_rate, self.person_burst or self.person_rate)
            case Quota.PERSON_UPLOADS:
                return Budget(self.person_uploads / _SECONDS_AN_HOUR, self.person_uploads)
            case Quota.PERSON_LISTS:
                return Budget(self.person_lists, self.person_lists)


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens that come back a second, the size of the bucket, and tokens a day; a `rate` or `daily` of 0 is no limit."""

    rate: float
    burst: int
    daily: int = 0

    @property
    def is_unlimited(self) -> bool:
        """Whether neither a rate nor a daily quota is set."""
        return self.rate == 0 and self.daily == 0


# Takes tokens from a caller's bucket and daily quota, or none when either refuses; answers the milliseconds to wait, 0
# when they were taken, and below 0 when the day's quota is used up. One key a caller, so that it works on a cluster; Valkey's clock, so that processes agree. A
# count above a full bucket passes when the bucket is full and leaves it in debt: a batch of 500 works with any burst,
# and the rate still holds in the long run. A negative count gives tokens back. The key expires when its bucket would
# be full again and its day is over.
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
if quota > 0 and used + count > quota then return now - (today + 1) * 86400000 end
if wait > 0 then return wait end

redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens - count), 'at', now,
  'day', today, 'used', math.max(0, used + count))
local full = 1
if rate > 0 then full = math.ceil((burst - tokens + count) / rate) + 1 end
if quota > 0 then full = math.max(full, 172800) end
redis.call('EXPIRE', KEYS[1], full)
return 0
"""


class RateLimiter:
    """Applies the limits of all callers. `passed_unchecked` counts requests that passed because Valkey did not answer."""

    def __init__(
        self,
        valkey_settings: ValkeySettings,
        limit_settings: LimitSettings,
        *,
        tell_unchecked: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell_unchecked` is called for each request that passes because Valkey did not answer in time."""
        self._wait_seconds = limit_settings.wait.total_seconds()
        self._valkey = make_async_client(replace(valkey_settings, timeout=limit_settings.wait))
        self._take = self._valkey.register_script(_TAKE)
        budgets = {quota: limit_settings.budget(quota) for quota in Quota}
        self._budgets = {quota: one for quota, one in budgets.items() if not one.is_unlimited}
        self._local = _LocalAllowance(budgets[Quota.PERSON_SENDS])
        self._tell_unchecked = tell_unchecked
        self.passed_unchecked = 0

    async def take(self, quota: Quota, id: int, *, count: int = 1) -> None:
        """Use up `count` of the quota of the app or person with this integer id: all of it, or nothing.

        Raises OverLimit with the seconds after which the same call will succeed (of the daily quota: at midnight UTC; a
        count above the whole daily quota never will). It takes one round trip, or none when nothing is limited or a
        person sends rarely, and it returns within the settings' wait whatever Valkey does.
        """
        if quota not in self._budgets:
            return
        if quota is Quota.PERSON_SENDS:
            count = self._local.count_for_valkey(id, count, now=time.monotonic())
        wait_ms = await self._ask(quota, id, count=count) if count else 0
        if wait_ms:
            code = ErrorCode.RATE_LIMITED if wait_ms > 0 else ErrorCode.QUOTA_USED_UP
            raise OverLimit(_SENTENCES[quota], retry_after_seconds=abs(wait_ms) / 1000, code=code)

    async def give_back(self, quota: Quota, id: int, *, count: int = 1) -> None:
        """Give back what `take` used up for something that then failed. Never raises."""
        if quota not in self._budgets:
            return
        if quota is Quota.PERSON_SENDS:
            count = -self._local.count_for_valkey(id, -count, now=time.monotonic())
        if count:
            await self._ask(quota, id, count=-count)

    async def close(self) -> None:
        """Close every connection."""
        await self._valkey.aclose()

    async def _ask(self, quota: Quota, id: int, *, count: int) -> int:
        budget = self._budgets[quota]
        args = [budget.rate, budget.burst, budget.daily, count]
        try:
            async with asyncio.timeout(self._wait_seconds):
                return int(await self._take(keys=[f"carillon:{quota}:{id}"], args=args))
        except (RedisError, OSError, TimeoutError):
            self.passed_unchecked += 1
            self._tell_unchecked()
            return 0


class _LocalAllowance:
    """What people may send without asking Valkey: a fifth of their rate a second, in each process.

    It saves the round trip for nearly every send (docs/decisions/0029-limits-of-callers.md). When somebody sends
    faster, Valkey is told, including what went before in that second, until they have been slower for a second.
    """

    def __init__(self, budget: Budget) -> None:
        self._per_second = budget.rate // 5
        # Of each person: when the second began, what was sent in it, and whether Valkey is told of everything.
        self._seconds: dict[int, tuple[float, int, bool]] = {}

    def count_for_valkey(self, id: int, count: int, *, now: float) -> int:
        """Note `count` more of this person, and return how many of them Valkey has to be told of now; 0: none."""
        began, before, is_told = self._seconds.get(id, (now, 0, False))
        if (passed := now - began) >= _SECOND:
            is_told = before > self._per_second and passed < 2 * _SECOND
            began, before = now, 0
        if len(self._seconds) >= _MAX_COUNTED:
            self._seconds.clear()
        self._seconds[id] = (began, before + count, is_told)
        if is_told or before > self._per_second:
            return count
        return before + count if before + count > self._per_second else 0
