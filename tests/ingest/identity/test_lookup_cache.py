"""The cache of look-ups: what it keeps, for how long, and how it asks. Time and look-ups are the test's own."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ingest.identity.lookup_cache import LookupCache
from ingest.settings import IngestSettings
from storage.model.errors import TransientError

pytestmark = pytest.mark.pure

LIFETIME = 2.0


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run one test's coroutine to its end."""
    asyncio.run(asyncio.wait_for(test, 20))


class Book:
    """A record that counts how often it is asked; negative values let nobody pass. `now` is the time."""

    def __init__(self) -> None:
        self.entries = {1: 10, 2: 20, 3: -30}
        self.asked: list[list[int]] = []
        self.is_away = False
        self.now = 1000.0

    async def look_up(self, keys: Sequence[int]) -> list[int | None]:
        """One query."""
        self.asked.append(sorted(keys))
        if self.is_away:
            raise TransientError("away")
        return [self.entries.get(key) for key in keys]

    def make_cache(self, *, size: int = 100) -> LookupCache[int, int]:
        """A cache over this record."""
        settings = IngestSettings(lookup_lifetime=timedelta(seconds=LIFETIME), lookup_size=size)
        return LookupCache(
            self.look_up,
            settings=settings,
            lets_pass=lambda value: value > 0,
            clock=lambda: self.now,
        )


def test_missing_keys_are_looked_up_together_and_once() -> None:
    """Fifty requests of one turn of the loop are one query; the next request is none."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        found = await asyncio.gather(*(cache.find(1 + turn % 2) for turn in range(50)))
        assert found == [10, 20] * 25
        assert len(book.asked) == 1
        assert await cache.find(1) == 10
        assert len(book.asked) == 1

    run(test())


def test_a_value_that_lets_nobody_pass_is_not_kept() -> None:
    """A person who did not exist or was disabled is found as soon as they are made or enabled."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        assert [await cache.find(3), await cache.find(4)] == [-30, None]
        book.entries |= {3: 30, 4: 40}
        assert [await cache.find(3), await cache.find(4)] == [30, 40]

    run(test())


def test_no_value_is_older_than_its_lifetime() -> None:
    """A change is seen when the lifetime is over, and not before."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        assert await cache.find(1) == 10
        book.entries[1] = 11
        book.now += LIFETIME - 0.1
        assert await cache.find(1) == 10
        book.now += 0.1
        assert await cache.find(1) == 11

    run(test())


def test_a_refresh_looks_up_what_is_in_use_and_only_that() -> None:
    """Keys that were asked for again are one query; a change and an end are seen by it."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        for key in (1, 2, 1, 2):
            await cache.find(key)
        book.entries |= {1: 11, 2: -20}
        book.asked.clear()
        await cache.refresh()
        assert book.asked == [[1, 2]]
        assert await cache.find(1) == 11
        assert len(book.asked) == 1
        assert await cache.find(2) == -20
        book.asked.clear()
        await cache.refresh()
        assert book.asked == [[1]]
        await cache.refresh()
        assert len(book.asked) == 1

    run(test())


def test_a_refresh_lengthens_the_life_of_a_value() -> None:
    """A value that was refreshed lives for a whole lifetime from then on."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        for _ in range(2):
            await cache.find(1)
        book.now += LIFETIME / 2
        await cache.refresh()
        book.asked.clear()
        book.now += LIFETIME * 0.9
        assert await cache.find(1) == 10
        assert book.asked == []

    run(test())


def test_a_refresh_that_fails_changes_nothing() -> None:
    """A value is kept to the end of its lifetime while the record is away."""

    async def test() -> None:
        book = Book()
        cache = book.make_cache()
        for _ in range(2):
            assert await cache.find(1) == 10
        book.is_away = True
        await asyncio.gather(cache.refresh(), return_exceptions=True)
        assert await cache.find(1) == 10
        book.now += LIFETIME
        with pytest.raises(TransientError):
            await cache.find(1)

    run(test())


def test_no_more_is_kept_than_fits() -> None:
    """A cache that is full is emptied, not grown."""

    async def test() -> None:
        book = Book()
        book.entries = {key: key for key in range(1, 100)}
        cache = book.make_cache(size=10)
        for key in range(1, 100):
            assert await cache.find(key) == key
        assert len(cache._kept) <= 10

    run(test())


def test_made_up_keys_are_looked_up_once_a_moment_and_apart() -> None:
    """A key of nothing is kept as absent; a crowd of them is refused before it delays a known key."""

    async def test() -> None:
        book = Book()
        cache = LookupCache(
            book.look_up,
            settings=IngestSettings(lookup_lifetime=timedelta(0), lookup_patience=timedelta(9)),
            lets_pass=lambda value: value > 0,
            absent_seconds=LIFETIME,
            stranger_cap=5,
            clock=lambda: book.now,
        )
        assert [await cache.find(4), await cache.find(4)] == [None, None]
        assert book.asked == [[4]]
        assert await cache.find(1) == 10
        asked = [cache.find(key) for key in (*range(100, 110), 1)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert outcomes[:5] + outcomes[10:] == [None] * 5 + [10]
        assert all(isinstance(one, TransientError) for one in outcomes[5:10])
        book.now += LIFETIME
        book.entries[4] = 40
        assert await cache.find(4) == 40

    run(test())
