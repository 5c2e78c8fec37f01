"""Whether a user id is anybody's, both ends: a gateway asks through Valkey, ingest answers from the record.

The `sub` of a token may be nobody's, and a gateway has no connection to PostgreSQL
(docs/decisions/0031-who-is-disabled-and-who-is-nobody.md). It asks once for each id that it has not seen. Without an
answer it lets the person in: nobody may be kept out because ingest is away.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storage.settings import ValkeySettings
from storage.valkey.connection import make_async_client, translate_valkey_errors

ASKED = (
    "carillon:strangers:asked"  # a list of ids; the first ingest process that takes one answers it
)
ANSWERING = "carillon:strangers:answering"  # a key that exists as long as some ingest process takes questions
ANSWERING_LIFETIME = timedelta(seconds=3)
SOMEBODY_LIFETIME = timedelta(hours=1)
NOBODY_LIFETIME = timedelta(seconds=5)  # short, because an import may add the id at any moment
PATIENCE_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.005
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of some ids: those of people, those of nobody, and whether a process takes questions about others."""

    somebody: frozenset[int]
    nobody: frozenset[int]
    is_answered: bool


class Strangers:
    """Both ends. Every method but `close` raises TransientError when Valkey does not answer."""

    def __init__(self, valkey: ValkeySettings) -> None:
        self._valkey = make_async_client(valkey)
        self._wait = min(1.0, valkey.timeout.total_seconds() / 2)
        self.is_closed = False

    async def read_answers(self, user_ids: Collection[int]) -> Answers:
        """Read what has been answered about these ids, in one round trip."""
        with translate_valkey_errors():
            is_answered, *answers = await self._valkey.mget(ANSWERING, *map(_answer_key, user_ids))
        told = list(zip(user_ids, answers, strict=True))
        return Answers(
            somebody=frozenset(user_id for user_id, answer in told if answer == b"1"),
            nobody=frozenset(user_id for user_id, answer in told if answer == b"0"),
            is_answered=is_answered is not None,
        )

    async def is_nobody(self, user_id: int) -> bool:
        """Ask whether the id is nobody's, and wait for the answer; False if there is none within PATIENCE_SECONDS."""
        with translate_valkey_errors():
            async with self._valkey.pipeline(transaction=False) as pipeline:
                pipeline.rpush(ASKED, user_id)
                pipeline.expire(
                    ASKED, NOBODY_LIFETIME
                )  # for the case that nobody takes questions any more
                await pipeline.execute()
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(pause)
            pause *= 1.5
            found = await self.read_answers((user_id,))
            if found.somebody or found.nobody:
                return bool(found.nobody)
        return False

    async def take_questions(self) -> Sequence[int]:
        """Take the ids that gateways ask about; wait up to a second for the first, and return none if there is none.

        It also tells gateways that questions are taken, for ANSWERING_LIFETIME.
        """
        with translate_valkey_errors():
            await self._valkey.set(ANSWERING, 1, px=ANSWERING_LIFETIME)
            first = await self._valkey.blpop([ASKED], timeout=self._wait)
            more = await self._valkey.lpop(ASKED, TOGETHER) if first else None
        return [int(one) for one in ([first[1], *(more or ())] if first else ())]

    async def answer(self, user_ids: Iterable[int], *, somebody: Collection[int]) -> None:
        """Answer for `user_ids`: those in `somebody` are people's, the others nobody's."""
        with translate_valkey_errors():
            async with self._valkey.pipeline(transaction=False) as pipeline:
                for user_id in user_ids:
                    is_somebody = user_id in somebody
                    lifetime = SOMEBODY_LIFETIME if is_somebody else NOBODY_LIFETIME
                    pipeline.set(_answer_key(user_id), int(is_somebody), px=lifetime)
                await pipeline.execute()

    async def close(self) -> None:
        """Close every connection."""
        self.is_closed = True
        await self._valkey.aclose()


def _answer_key(user_id: int) -> str:
    return f"carillon:stranger:{user_id}"
