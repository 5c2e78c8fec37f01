"""Whether a user id is anybody's: gateways ask, ingest answers, through Valkey."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from storage.model.errors import TransientError
from storage.settings import ValkeySettings
from storage.valkey.strangers import Answers, Strangers


def tell_story(url: str, story: Callable[[Strangers, Strangers], Awaitable[None]]) -> None:
    """Run a story with a gateway's end and ingest's, in a database that no other ingest looks into."""
    own = ValkeySettings(url.rpartition("/")[0] + "/2")

    async def run() -> None:
        ends = Strangers(own), Strangers(own)
        try:
            await story(*ends)
        finally:
            for end in ends:
                await end.close()

    asyncio.run(run())


def test_who_is_nobody_is_told_and_remembered(valkey_url: str) -> None:
    """Each gateway's question is answered once for all gateways, and reading the answer again needs no question."""

    async def story(gateway: Strangers, ingest: Strangers) -> None:
        assert await ingest.take_questions() == []
        answers = asyncio.gather(*map(gateway.is_nobody, (1, 2, 3)))
        asked: list[int] = []
        while len(asked) < 3:
            new = await ingest.take_questions()
            await ingest.answer(new, somebody={1, 3})
            asked += new
        assert await answers == [False, True, False]
        met = await gateway.read_answers([1, 2, 3, 4])
        assert met == Answers(frozenset({1, 3}), frozenset({2}), is_answered=True)

    tell_story(valkey_url, story)


def test_who_is_not_told_of_is_let_in(valkey_url: str) -> None:
    """When nobody answers, the answers say so, and a question that is asked all the same ends in time."""

    async def story(gateway: Strangers, _: Strangers) -> None:
        assert not (await gateway.read_answers([5])).is_answered
        began = time.monotonic()
        assert not await gateway.is_nobody(5)
        assert time.monotonic() - began < 10

    tell_story(valkey_url, story)


def test_an_absent_valkey_is_try_later() -> None:
    """Without Valkey every method raises TransientError at once."""

    async def story(gateway: Strangers, ingest: Strangers) -> None:
        for ask in (gateway.read_answers([1]), gateway.is_nobody(1), ingest.take_questions()):
            with pytest.raises(TransientError):
                await ask

    tell_story("redis://127.0.0.1:1", story)
