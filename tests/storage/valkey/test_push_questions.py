"""What ingest asks of the gateways reaches them, and their answers come back."""

import asyncio

import pytest

from storage.model.errors import TransientError
from storage.settings import ValkeySettings
from storage.valkey.push_questions import PushAnswer, PushQuestions

pytestmark = pytest.mark.quick


def test_a_question_is_answered_by_every_gateway(valkey_url: str) -> None:
    """A message that was asked for is found by the gateways, and each one's answer is read; another message has none."""

    async def story() -> None:
        pipe = PushQuestions(ValkeySettings(valkey_url))
        assert await pipe.find_asked() == []
        assert await pipe.ask(42) == []
        assert await pipe.find_asked() == [42]
        one, other = PushAnswer(3, 1_000, 500), PushAnswer(0, None, 700)
        await pipe.answer("a", {42: one})
        await pipe.answer("b", {42: other})
        assert sorted(await pipe.ask(42), key=lambda answer: answer.since_ms) == [one, other]
        assert await pipe.ask(43) == []
        await pipe.close()

    asyncio.run(story())


def test_valkey_away_is_said() -> None:
    """Without Valkey asking raises TransientError."""

    async def story() -> None:
        pipe = PushQuestions(ValkeySettings("redis://127.0.0.1:1/0"))
        with pytest.raises(TransientError):
            await pipe.ask(1)
        await pipe.close()

    asyncio.run(story())
