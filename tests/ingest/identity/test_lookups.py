"""What is remembered of people, apps and mappings, and for how long; look-ups are the test's own."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ingest.identity.lookups import KnownApp, LookupCache
from ingest.settings import IngestSettings
from storage.model.caller import App
from storage.model.errors import TransientError

pytestmark = pytest.mark.pure

LIFETIME = 0.2


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run one test's coroutine to its end."""
    asyncio.run(asyncio.wait_for(test, 20))


class Book:
    """A record that counts how often it is asked; negative values do not pass."""

    def __init__(self) -> None:
        self.entries = {1: 10, 2: 20, 3: -30}
        self.asked: list[list[int]] = []
        self.is_away = False

    async def look_up(self, keys: Sequence[int]) -> list[int | None]:
        """One query."""
        self.asked.append(sorted(keys))
        if self.is_away:
            raise TransientError("away")
        return [self.entries.get(key) for key in keys]

    def remembered(self, *, size: int = 100) -> LookupCache[int, int]:
        """A memory over it."""
        settings = IngestSettings(lookup_lifetime=timedelta(seconds=LIFETIME), lookup_size=size)
        return LookupCache(self.look_up, settings=settings, passes=lambda value: value > 0)


def test_what_is_not_known_is_asked_for_together_and_once() -> None:
    """Fifty requests of one turn are one query; the next ones none."""

    async def test() -> None:
        book = Book()
        memory = book.remembered()
        found = await asyncio.gather(*(memory.find(1 + turn % 2) for turn in range(50)))
        assert found == [10, 20] * 25
        assert len(book.asked) == 1
        assert await memory.find(1) == 10
        assert len(book.asked) == 1

    run(test())


def test_what_does_not_pass_is_not_remembered() -> None:
    """Neither nobody nor the disabled: whoever is let in goes on at once."""

    async def test() -> None:
        book = Book()
        memory = book.remembered()
        assert [await memory.find(3), await memory.find(4)] == [-30, None]
        book.entries |= {3: 30, 4: 40}
        assert [await memory.find(3), await memory.find(4)] == [30, 40]

    run(test())


def test_nothing_is_older_than_its_lifetime() -> None:
    """Asked for or not."""

    async def test() -> None:
        book = Book()
        memory = book.remembered()
        assert await memory.find(1) == 10
        book.entries[1] = 11
        assert await memory.find(1) == 10
        await asyncio.sleep(LIFETIME)
        assert await memory.find(1) == 11

    run(test())


def test_what_is_in_use_is_refreshed_together() -> None:
    """And only that; a change, or an end, is seen by it."""

    async def test() -> None:
        book = Book()
        memory = book.remembered()
        for key in (1, 2, 1, 2):
            await memory.find(key)
        book.entries |= {1: 11, 2: -20}
        book.asked.clear()
        await memory.refresh()
        assert book.asked == [[1, 2]]
        assert await memory.find(1) == 11
        assert len(book.asked) == 1
        assert await memory.find(2) == -20
        book.asked.clear()
        await memory.refresh()
        assert book.asked == [[1]]
        await memory.refresh()
        assert len(book.asked) == 1

    run(test())


def test_a_refresh_that_fails_changes_nothing() -> None:
    """What is remembered goes on to its end."""

    async def test() -> None:
        book = Book()
        memory = book.remembered()
        for _ in range(2):
            assert await memory.find(1) == 10
        book.is_away = True
        await asyncio.gather(memory.refresh(), return_exceptions=True)
        assert await memory.find(1) == 10

    run(test())


def test_no_more_is_remembered_than_fits() -> None:
    """The memory is emptied, not grown."""

    async def test() -> None:
        book = Book()
        book.entries = {key: key for key in range(1, 100)}
        memory = book.remembered(size=10)
        for key in range(1, 100):
            assert await memory.find(key) == key
        assert len(memory._known) <= 10

    run(test())


def test_what_is_made_up_is_asked_for_once_a_moment_and_apart() -> None:
    """A key that nobody has is remembered so; a crowd of them is refused before it delays a known key."""

    async def test() -> None:
        book = Book()
        memory = LookupCache(
            book.look_up,
            settings=IngestSettings(lookup_lifetime=timedelta(0), lookup_patience=timedelta(9)),
            passes=lambda value: value > 0,
            absent_seconds=LIFETIME,
            strangers=5,
        )
        assert [await memory.find(4), await memory.find(4)] == [None, None]
        assert book.asked == [[4]]
        assert await memory.find(1) == 10
        asked = [memory.find(key) for key in (*range(100, 110), 1)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert outcomes[:5] + outcomes[10:] == [None] * 5 + [10]
        assert all(isinstance(one, TransientError) for one in outcomes[5:10])
        await asyncio.sleep(LIFETIME)
        book.entries[4] = 40
        assert await memory.find(4) == 40

    run(test())


def test_an_app_does_not_show_its_secrets() -> None:
    """In a log or a traceback."""
    app = App(1, "oa", "OA", "https://oa.example.com", (), True, "", "", None, None)
    assert "secret" not in repr(KnownApp(app, (b"secret",)))
