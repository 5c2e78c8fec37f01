"""Limits: an app gets its rate, burst and quota across processes, and nothing waits for Valkey."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from storage.model.errors import OverLimit
from storage.settings import ValkeySettings
from storage.valkey.rate_limits import Budget, LimitSettings, Quota, RateLimiter, _LocalAllowance
from tests.storage.valkey.server_clock import wait_for_clock

AWAY = "redis://127.0.0.1:1/0"
# Long enough that a busy machine does not open the gate in a test of the limits themselves.
PATIENT = timedelta(seconds=10)
_app_ids = itertools.count(time.time_ns() % 10**9 * 1000)


@pytest.fixture
def app_id() -> int:
    """An app that no other test has limited."""
    return next(_app_ids)


def run(
    url: str, story: Callable[[RateLimiter], Awaitable[None]], *, settings: LimitSettings
) -> None:
    """Run one story with limits in a loop of its own."""

    async def run() -> None:
        limits = RateLimiter(ValkeySettings(url), settings)
        try:
            await story(limits)
        finally:
            await limits.close()

    asyncio.run(run())


def test_a_burst_passes_and_what_is_over_it_waits(valkey_url: str, app_id: int) -> None:
    """After `burst` messages the next is refused, with the seconds until it would pass."""

    async def story(limits: RateLimiter) -> None:
        for _ in range(10):
            await limits.take(Quota.APP_SENDS, app_id, count=100)
        with pytest.raises(OverLimit) as refused:
            await limits.take(Quota.APP_SENDS, app_id, count=100)
        assert 50 < (refused.value.retry_after_seconds or 0) <= 100

    run(valkey_url, story, settings=LimitSettings(rate_per_second=1, burst=1000, wait=PATIENT))


def test_what_was_told_to_wait_passes_after_the_wait(valkey_url: str, app_id: int) -> None:
    """A refused take succeeds after `retry_after_seconds` by Valkey's clock, and no more than the rate allows."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=10)
        with pytest.raises(OverLimit) as refused:
            await limits.take(Quota.APP_SENDS, app_id, count=5)
        wait = refused.value.retry_after_seconds or 0
        assert 0 < wait <= 0.05
        wait_for_clock(valkey_url, seconds=wait)
        await limits.take(Quota.APP_SENDS, app_id, count=5)

    run(valkey_url, story, settings=LimitSettings(rate_per_second=100, burst=10, wait=PATIENT))


def test_many_at_once_get_exactly_the_burst(valkey_url: str, app_id: int) -> None:
    """Of 200 simultaneous takes of two processes, the burst passes: nothing is taken twice."""

    async def story(limits: RateLimiter) -> None:
        other = RateLimiter(ValkeySettings(valkey_url), settings)
        takes = [
            who.take(Quota.APP_SENDS, app_id, count=10)
            for who in (limits, other)
            for _ in range(100)
        ]
        answers = await asyncio.gather(*takes, return_exceptions=True)
        await other.close()
        assert all(answer is None or isinstance(answer, OverLimit) for answer in answers)
        # 1000 at once, and 1 a second while the test runs: not enough for another ten.
        assert answers.count(None) == 100
        assert limits.passed_unchecked == other.passed_unchecked == 0

    settings = LimitSettings(rate_per_second=1, burst=1000, wait=PATIENT)
    run(valkey_url, story, settings=settings)


def test_a_batch_over_the_burst_passes_once_and_leaves_a_debt(valkey_url: str, app_id: int) -> None:
    """A batch larger than the bucket passes when it is full; the app then waits for all of it."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=500)
        with pytest.raises(OverLimit) as refused:
            await limits.take(Quota.APP_SENDS, app_id)
        assert 400 < (refused.value.retry_after_seconds or 0) <= 491

    run(valkey_url, story, settings=LimitSettings(rate_per_second=1, burst=10, wait=PATIENT))


def test_without_a_burst_it_is_one_second_s_rate(valkey_url: str, app_id: int) -> None:
    """A burst of 0 means as many messages as the rate allows in a second."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=1000)
        with pytest.raises(OverLimit):
            await limits.take(Quota.APP_SENDS, app_id, count=1000)

    run(valkey_url, story, settings=LimitSettings(rate_per_second=1000, wait=PATIENT))


def test_a_day_s_quota_is_a_quota_until_midnight(valkey_url: str, app_id: int) -> None:
    """Over the quota the wait is until midnight UTC; what is refused is not counted."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=8)
        with pytest.raises(OverLimit) as refused:
            await limits.take(Quota.APP_SENDS, app_id, count=3)
        until_midnight = 86400 - time.time() % 86400
        assert (refused.value.retry_after_seconds or 0) == pytest.approx(until_midnight, abs=5)
        await limits.take(Quota.APP_SENDS, app_id, count=2)
        with pytest.raises(OverLimit):
            await limits.take(Quota.APP_SENDS, app_id)

    if time.time() % 86400 > 86390:
        pytest.skip("midnight is too near")
    run(valkey_url, story, settings=LimitSettings(daily_quota=10, wait=PATIENT))


def test_the_quota_starts_anew_each_day(valkey_url: str, app_id: int) -> None:
    """What was used on another day does not count today."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=10)
        with pytest.raises(OverLimit):
            await limits.take(Quota.APP_SENDS, app_id)
        await limits._valkey.hincrby(f"carillon:limit:{app_id}", "day", -1)
        await limits.take(Quota.APP_SENDS, app_id, count=10)

    run(valkey_url, story, settings=LimitSettings(daily_quota=10, wait=PATIENT))


def test_apps_do_not_share(valkey_url: str) -> None:
    """One app over its limit does not stop another."""

    async def story(limits: RateLimiter) -> None:
        greedy, modest = next(_app_ids), next(_app_ids)
        await limits.take(Quota.APP_SENDS, greedy, count=10)
        with pytest.raises(OverLimit):
            await limits.take(Quota.APP_SENDS, greedy)
        await limits.take(Quota.APP_SENDS, modest, count=10)

    run(valkey_url, story, settings=LimitSettings(daily_quota=10, wait=PATIENT))


def test_without_valkey_everything_passes_and_is_counted(app_id: int) -> None:
    """While Valkey is away sends pass, and each is counted as unchecked."""

    async def story(limits: RateLimiter) -> None:
        for _ in range(3):
            await limits.take(Quota.APP_SENDS, app_id)
        assert limits.passed_unchecked == 3

    run(AWAY, story, settings=LimitSettings(rate_per_second=1, burst=1))


def test_a_frozen_valkey_costs_the_wait_and_no_more(app_id: int) -> None:
    """While a frozen Valkey takes connections and does not answer, a hundred sends at once pass in a moment."""

    async def frozen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(frozen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        limits = RateLimiter(
            ValkeySettings(f"redis://127.0.0.1:{port}/0"), LimitSettings(rate_per_second=1)
        )
        began = time.monotonic()
        await asyncio.gather(*(limits.take(Quota.APP_SENDS, app_id) for _ in range(100)))
        assert time.monotonic() - began < 1
        assert limits.passed_unchecked == 100
        await limits.close()
        server.close()

    asyncio.run(story())


def test_after_valkey_lost_its_scripts_the_limits_go_on(valkey_url: str, app_id: int) -> None:
    """After Valkey has lost its scripts they are sent again, and nothing passes unchecked."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id)
        await limits._valkey.script_flush()
        await limits.take(Quota.APP_SENDS, app_id)
        assert limits.passed_unchecked == 0

    run(valkey_url, story, settings=LimitSettings(daily_quota=10, wait=PATIENT))


def test_apps_are_not_limited_by_default_and_nobody_is_asked(app_id: int) -> None:
    """By default apps have no limit and Valkey is not asked: it is away here, and nothing counts as unchecked."""

    async def story(limits: RateLimiter) -> None:
        await limits.take(Quota.APP_SENDS, app_id, count=10**9)
        assert limits.passed_unchecked == 0

    run(AWAY, story, settings=LimitSettings())


@pytest.mark.parametrize(
    ("quota", "at_once"),
    [(Quota.PERSON_SENDS, 50), (Quota.PERSON_UPLOADS, 60), (Quota.PERSON_LISTS, 30)],
)
def test_a_person_has_a_share_by_default(
    valkey_url: str, app_id: int, quota: Quota, at_once: int
) -> None:
    """A burst of 50 sends, 60 uploads, 30 lists; another person and another quota are not touched by it.

    A few pass beyond: what the bucket gains while the test runs, and sends that Valkey is not told of.
    """

    async def story(limits: RateLimiter) -> None:
        takes = [limits.take(quota, app_id) for _ in range(200)]
        outcomes = await asyncio.gather(*takes, return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, OverLimit)]
        assert at_once <= len(outcomes) - len(refused) <= at_once + 40
        assert all((one.retry_after_seconds or 0) <= 60 for one in refused)
        await limits.take(quota, app_id + 10**9)
        for other in {Quota.PERSON_SENDS, Quota.PERSON_UPLOADS, Quota.PERSON_LISTS} - {quota}:
            await limits.take(other, app_id)
        assert limits.passed_unchecked == 0

    run(valkey_url, story, settings=LimitSettings(wait=PATIENT))


def test_each_limit_can_be_switched_off(app_id: int) -> None:
    """With 0 a limit is off and Valkey is not asked: it is away here, and nothing counts as unchecked."""

    async def story(limits: RateLimiter) -> None:
        for quota in Quota:
            await limits.take(quota, app_id, count=1000)
            await limits.give_back(quota, app_id)
        assert limits.passed_unchecked == 0

    settings = LimitSettings(previews=0, person_rate=0, person_uploads=0, person_lists=0)
    run(AWAY, story, settings=settings)


def test_who_sends_now_and_then_costs_valkey_nothing(app_id: int) -> None:
    """Two sends in a second pass without asking Valkey; the third is told to it, together with the two."""

    async def story(limits: RateLimiter) -> None:
        for _ in range(2):
            await limits.take(Quota.PERSON_SENDS, app_id)
        assert limits.passed_unchecked == 0
        await limits.take(Quota.PERSON_SENDS, app_id)
        assert limits.passed_unchecked == 1

    run(AWAY, story, settings=LimitSettings())


def test_who_keeps_on_sending_is_told_of_entirely() -> None:
    """Of somebody who keeps on sending too fast Valkey is told everything, until they have been slower for a second."""
    quiet = _LocalAllowance(Budget(rate=10, burst=50))
    run = [quiet.count_for_valkey(1, 1, now=number / 15) for number in range(150)]
    assert sum(run) == 150
    assert [quiet.count_for_valkey(1, 1, now=20 + number) for number in range(5)] == [0] * 5
    assert [quiet.count_for_valkey(2, 1, now=number / 2) for number in range(20)] == [0] * 20


@pytest.mark.parametrize("quota", Quota)
def test_what_is_given_back_can_be_taken_again(valkey_url: str, app_id: int, quota: Quota) -> None:
    """A replay counts against no limit: a take and its return leave the bucket and the quota as they were."""

    async def story(limits: RateLimiter) -> None:
        for _ in range(300):
            await limits.take(quota, app_id)
            await limits.give_back(quota, app_id)
        assert limits.passed_unchecked == 0

    settings = LimitSettings(rate_per_second=1, burst=3, daily_quota=5, previews=3, person_rate=1, person_burst=3, person_uploads=3, person_lists=1, wait=PATIENT)  # fmt: skip
    run(valkey_url, story, settings=settings)
