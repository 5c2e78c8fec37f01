"""PostgreSQL's connections divided up, and turns at long lists; no record is asked but in the last test."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from ingest.connection_shares import ListSlots, open_shares, share_sizes
from ingest.metrics import IngestMetrics
from ingest.readiness import Readiness
from ops.local.polling import wait_until
from storage.model.caller import ACTIVE, ORDINARY_USER, Person, UserCaller
from storage.model.errors import OverLimit, TransientError
from storage.postgres.database import Database
from storage.settings import DatabaseSettings, load

pytestmark = pytest.mark.quick


def person(id: int) -> UserCaller:
    """A person who asks."""
    return UserCaller(Person(id, "", "", "", ACTIVE, ORDINARY_USER, is_deleted=False))


def lists(**options: Any) -> ListSlots:
    """Slots at a record that is never asked."""
    return ListSlots(cast("Database", None), **options)


async def take(lists: ListSlots, caller: UserCaller, *, until: asyncio.Event) -> str:
    """A turn that lasts `until`; what became of it."""
    try:
        async with lists.take(caller):
            await until.wait()
    except OverLimit:
        return "refused"
    return "had"


def test_one_caller_has_one_turn_at_a_time_and_others_do_not_wait_for_it() -> None:
    """Of twenty lists of one person eight are answered, one by one, the others refused; another person's goes at once."""

    async def story() -> None:
        turns, enough = lists(), asyncio.Event()
        mine = [asyncio.ensure_future(take(turns, person(1), until=enough)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5), turns.take(person(2)):
            pass
        enough.set()
        found = await asyncio.gather(*mine)
        assert found.count("had") == 8
        assert found.count("refused") == 12
        async with asyncio.timeout(5), turns.take(person(1)):
            pass

    asyncio.run(story())


def test_who_waited_too_long_is_told_to_come_again() -> None:
    """A list that waits too long behind a slow one of the same person is OverLimit."""

    async def story() -> None:
        turns = lists(patience=timedelta(milliseconds=20))
        async with turns.take(person(1)):
            with pytest.raises(OverLimit) as refused:
                async with turns.take(person(1)):
                    pass
        assert refused.value.retry_after_seconds

    asyncio.run(story())


@pytest.mark.parametrize(("pool_size", "largest"), [(1, 5), (5, 5), (16, 16), (200, 200)])
def test_shares_are_no_more_than_the_setting_says(pool_size: int, largest: int) -> None:
    """Each share has one connection at least, and together they are no more than the setting where there are enough."""
    shared = share_sizes(pool_size)
    assert min(shared.values()) >= 1
    assert sum(shared.values()) <= largest


def test_readiness_is_found_out_once_for_all_who_ask() -> None:
    """A hundred probes at once, and those of the next half second, share one check; later probes have another."""

    async def story() -> None:
        now, looks = [0.0], [0]

        async def look() -> list[str]:
            looks[0] += 1
            await asyncio.sleep(0)
            return ["bus"]

        readiness = Readiness(lifetime_seconds=0.5, clock=lambda: now[0])
        assert (
            await asyncio.gather(*(readiness.find_missing(look) for _ in range(100)))
            == [["bus"]] * 100
        )
        now[0] = 0.4
        await readiness.find_missing(look)
        assert looks == [1]
        now[0] = 0.6
        await readiness.find_missing(look)
        assert looks == [2]

    asyncio.run(story())


def test_a_share_that_is_used_up_leaves_the_others_alone(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """When all connections for lists are busy, another list is refused and counted, and a send's query is answered."""

    async def story() -> None:
        metrics = IngestMetrics()
        settings = load(DatabaseSettings, {**environ, "CARILLON_DATABASE_POOL_SIZE": "5"})
        shares = open_shares(settings, metrics)
        frozen = asyncio.ensure_future(shares.lists.query(sleep))
        await asyncio.to_thread(wait_until, lambda: is_asleep(engine), seconds=4)
        with pytest.raises(TransientError, match="busy"):
            await shares.lists.query(sleep)
        await shares.sends.query(lambda connection: connection.exec_driver_sql("SELECT 1").all())
        frozen.cancel()
        with suppress(asyncio.CancelledError, TransientError):
            await frozen
        await shares.close()
        assert b'carillon_database_busy_total{share="lists"} 1.0' in metrics.export()

    asyncio.run(story())


def sleep(connection: Any) -> None:
    """A question that takes long."""
    connection.exec_driver_sql("SELECT pg_sleep(5)")


def is_asleep(engine: Engine) -> bool:
    """Whether PostgreSQL is at that question now."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(asked).scalar_one())
