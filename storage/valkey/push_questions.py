"""To how many sockets a message was written: ingest asks, and each gateway answers from its memory. Both ends.

The gateways look for questions once a second, with their reports, so that the push of a message costs nothing for this.
A question is asked anew for as long as somebody looks at the answers; both are gone a few seconds later. Times are
Valkey's, so that the clocks of different machines are not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.settings import ValkeySettings
from storage.valkey.connection import make_async_client, translate_valkey_errors

_ASKED = "carillon:push:asked"  # message ids, by when they were asked for last
_ANSWERS = "carillon:push:answers:{}"  # a field for each gateway process
_OPEN_SECONDS = 15
_AT_ONCE = 100
_ASK = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('HVALS', KEYS[2])
"""
_FIND = """
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf', 'LIMIT', 0, ARGV[2])
"""


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What one gateway process knows of a message.

    `sockets` that it wrote the message to, the first event of which was published at `at_ms` (None: it wrote it to
    none, or does not remember). It remembers what was published after `since_ms`. Both are Unix milliseconds.
    """

    sockets: int
    at_ms: int | None
    since_ms: int


class PushQuestions:
    """Both ends, for processes with an event loop. Every method raises TransientError when Valkey does not answer."""

    def __init__(self, valkey: ValkeySettings) -> None:
        self._client = make_async_client(valkey)

    async def ask(self, message_id: int) -> list[PushAnswer]:
        """Ask the gateways for a message, and read what they have answered so far: none at first, all a second later."""
        keys = (_ASKED, _ANSWERS.format(message_id))
        with translate_valkey_errors():
            found = await self._client.eval(
                _ASK, len(keys), *keys, str(message_id), str(_OPEN_SECONDS)
            )
        return [_read(text) for text in found]

    async def find_asked(self) -> list[int]:
        """The messages that are asked for now; so many at once and no more."""
        with translate_valkey_errors():
            found = await self._client.eval(_FIND, 1, _ASKED, str(_OPEN_SECONDS), str(_AT_ONCE))
        return [int(text) for text in found]

    async def answer(self, name: str, answers: Mapping[int, PushAnswer]) -> None:
        """Answer for the process `name`, by message id."""
        with translate_valkey_errors():
            async with self._client.pipeline(transaction=False) as pipeline:
                for message_id, answer in answers.items():
                    key = _ANSWERS.format(message_id)
                    pipeline.hset(key, name, _write(answer))
                    pipeline.expire(key, _OPEN_SECONDS)
                await pipeline.execute()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _write(answer: PushAnswer) -> str:
    return f"{answer.sockets} {answer.at_ms or 0} {answer.since_ms}"


def _read(text: str) -> PushAnswer:
    sockets, at_ms, since_ms = map(int, text.split())
    return PushAnswer(sockets, at_ms or None, since_ms)
