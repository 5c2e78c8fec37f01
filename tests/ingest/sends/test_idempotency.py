"""`Idempotency-Key` of single sends (contract §2); batches' keys are tested in `test_batch.py`."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import Engine

from tests.ingest.api_server import Api
from tests.ingest.sends.record import count_accepted


def send_many(api: Api, number: int, **headers: str) -> list[httpx.Response]:
    """The same private message `number` times at once."""
    caller = api.person(1)

    def one(_number: int) -> httpx.Response:
        return api.send({**caller, **headers}, receiver_id=2)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_one_key_fifty_times_at_once_is_one_row(api: Api, engine: Engine) -> None:
    """Fifty requests with one key get equal answers, all but one of them marked as a replay (fault row 3)."""
    answers = send_many(api, 50, **{"Idempotency-Key": "k"})
    assert {answer.text for answer in answers if answer.status_code != 200} == set()
    assert len({answer.content for answer in answers}) == 1
    replays = [answer.headers.get("Idempotency-Replay") for answer in answers]
    assert replays.count("true") == 49
    assert count_accepted(engine) == 1


def test_a_key_is_the_callers_own_and_its_body_s(api: Api, engine: Engine) -> None:
    """The same key of another caller is another key; with another body it is 422 and sends nothing."""
    key = {"Idempotency-Key": "k"}
    first = api.send_for_id({**api.person(1), **key}, receiver_id=2)
    assert api.send_for_id({**api.person(2), **key}, receiver_id=2) != first
    assert api.send_for_id({**api.person(1), **key}, receiver_id=2) == first
    refused = api.send({**api.person(1), **key}, receiver_id=3)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    assert (
        api.send({**api.person(1), "Idempotency-Key": "x" * 256}, receiver_id=2).status_code == 422
    )
    assert count_accepted(engine) == 2
