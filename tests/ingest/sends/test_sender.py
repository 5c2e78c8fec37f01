"""One send, from a parsed request to its answer: what a key and a refusal do to the sender's quota (contract §2).

What fifty requests with one key do at once is in `test_idempotency.py`, batches are in `test_batch.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ingest.metrics import IngestMetrics
from ingest.models.requests import SendBody
from ingest.services import Services, open_services
from ops.local.polling import wait_until
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed, NotFound, OverLimit
from storage.model.send import Accepted, IdempotencyKey
from tests.ingest.api_server import Api, run_api
from tests.ingest.sends.record import count_accepted

# So slow that no place in a quota comes back during a test, and no wait for Valkey opens the gate.
THREE_A_DAY = {"CARILLON_APP_DAILY_QUOTA": "3", "CARILLON_APP_LIMIT_WAIT_SECONDS": "10"}
FIVE_AT_ONCE = {
    "CARILLON_APP_LIMIT_WAIT_SECONDS": "10",
    "CARILLON_PERSON_RATE_PER_SECOND": "1",
    "CARILLON_PERSON_BURST": "5",
}
NOTICE: dict[str, Any] = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}
LETTER = NOTICE | {"type": "MESSAGE"}


def run(environ: Mapping[str, str], story: Callable[[Services], Awaitable[None]]) -> None:
    """Tell `story` to the services of these settings."""

    async def tell() -> None:
        async with open_services(environ, metrics=IngestMetrics()) as services:
            await story(services)

    asyncio.run(tell())


async def find_app(services: Services) -> AppCaller:
    """The app oa, as a caller."""
    known = await services.lookups.apps.find("oa")
    assert known is not None
    return AppCaller(known.app)


async def find_person(services: Services) -> UserCaller:
    """Person 1, as a caller."""
    person = await services.lookups.people.find(1)
    assert person is not None
    return UserCaller(person)


async def send(
    services: Services, caller: Caller, fields: Mapping[str, Any], *, key: str | None = None
) -> Accepted:
    """Send what `fields` say; a key is bound to them."""
    bound = None if key is None else IdempotencyKey(caller.key, key, repr(sorted(fields)).encode())
    body = SendBody.from_values(fields)
    return await services.sender.send(body, caller, key=bound, origin="test-1")


def test_a_send_is_committed_with_the_request_it_came_with(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """What is answered is a row of `accepted` under the id in the answer, with the origin of its request."""

    async def story(services: Services) -> None:
        accepted = await send(services, await find_person(services), LETTER)
        with engine.begin() as connection:
            rows = connection.execute(text("SELECT id, sender_id, origin FROM accepted")).all()
        assert [tuple(row) for row in rows] == [(accepted.id, 1, "test-1")]
        assert not accepted.is_replay

    run(own_environ, story)


def test_what_an_app_is_refused_uses_none_of_its_quota(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """An app with room for three messages a day sends three after any number of refused ones, and no fourth."""

    async def story(services: Services) -> None:
        oa = await find_app(services)
        for _ in range(10):
            with pytest.raises(NotFound):
                await send(services, oa, NOTICE | {"receiver_id": 404})
        for _ in range(3):
            await send(services, oa, NOTICE)
        with pytest.raises(OverLimit):
            await send(services, oa, NOTICE)
        assert count_accepted(engine) == 3

    run({**own_environ, **THREE_A_DAY}, story)


def test_what_a_person_is_refused_uses_their_quota(own_environ: Mapping[str, str]) -> None:
    """A person cannot try out for ever whom they may write to: requests that are refused count as well."""

    async def story(services: Services) -> None:
        me = await find_person(services)
        refusals: list[type[Exception]] = []
        for _ in range(30):
            try:
                await send(services, me, LETTER | {"receiver_id": 404})
            except (NotFound, OverLimit) as error:
                refusals.append(type(error))
        assert set(refusals) == {NotFound, OverLimit}

    run({**own_environ, **FIVE_AT_ONCE}, story)


def test_a_key_saves_no_request_that_was_never_accepted(own_environ: Mapping[str, str]) -> None:
    """A request that is refused stays refused with a key that has no first answer, by its own rule."""

    async def story(services: Services) -> None:
        with pytest.raises(NotAllowed) as refused:
            await send(services, await find_person(services), NOTICE, key="k")
        assert refused.value.code is ErrorCode.FOR_APPS_ONLY

    run(own_environ, story)


@pytest.mark.parametrize("who", [find_person, find_app], ids=["a person", "an app"])
def test_a_replay_that_would_be_refused_today_gives_its_place_back(
    own_environ: Mapping[str, str],
    engine: Engine,
    who: Callable[[Services], Awaitable[Caller]],
) -> None:
    """Replays to a receiver who is disabled meanwhile have the first answer, and use up no quota."""

    async def story(services: Services) -> None:
        caller = await who(services)
        first = await send(services, caller, LETTER, key="k")
        with engine.begin() as connection:
            connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 2"))
        await services.lookups.people.find_now(2)
        for _ in range(20):
            again = await send(services, caller, LETTER, key="k")
            assert (again.is_replay, again.id) == (True, first.id)
        assert (await send(services, caller, LETTER | {"receiver_id": 3})).id != first.id

    run({**own_environ, **FIVE_AT_ONCE, **THREE_A_DAY}, story)


@pytest.mark.parametrize("caller", ["a person", "an app"])
def test_a_replay_is_answered_when_the_limit_is_used_up_and_counts_against_none(
    own_environ: Mapping[str, str], engine: Engine, caller: str
) -> None:
    """A repeated send gets its first answer before and after the limit is used up, and a new one is 429 (contract §2)."""
    few = FIVE_AT_ONCE | {"CARILLON_APP_DAILY_QUOTA": "5"}
    with run_api({**own_environ, **few}, engine) as api:
        own = api.person(1) if caller == "a person" else api.app()

        def ask(key: str) -> int:
            return api.send({**own, "Idempotency-Key": key}, **LETTER).status_code

        first = api.send({**own, "Idempotency-Key": "k"}, **LETTER)
        assert first.status_code == 200
        # More than the limit: had they counted, it would be used up.
        assert {ask("k") for _ in range(10)} == {200}
        assert ask("another") == 200
        keys = (f"new-{number}" for number in count())
        assert 429 in {ask(next(keys)) for _ in range(30)}
        again = api.send({**own, "Idempotency-Key": "k"}, **LETTER)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotency-Replay"] == "true"
        other = api.send({**own, "Idempotency-Key": "k"}, **(LETTER | {"title": "another"}))
        assert other.status_code == 422


def test_a_retry_gets_the_first_answer_though_the_receiver_is_gone(
    api: Api, engine: Engine
) -> None:
    """A retry that would be refused today gets the answer that its key got when it was accepted."""
    key = {"Idempotency-Key": "k"}
    first = api.send_for_id({**api.person(1), **key}, receiver_id=2)
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 2"))
    assert wait_until(lambda: api.send(api.person(1), receiver_id=2).status_code == 404, seconds=20)
    again = api.send({**api.person(1), **key}, receiver_id=2)
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert again.headers["Idempotency-Replay"] == "true"


def test_a_request_that_was_refused_leaves_its_key_free(api: Api) -> None:
    """A key whose request was refused is free: the corrected body may use it."""
    key = {**api.person(1), "Idempotency-Key": "k"}
    assert api.send(key, receiver_id=404).status_code == 404
    assert api.send(key, receiver_id=2).status_code == 200
