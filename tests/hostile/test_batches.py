"""One app sends long, odd or repeated batches: they cost few queries, and others are served meanwhile."""

import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from tests.ingest.api_server import Api, run_api
from tests.ingest.conftest import own_environ, shared_api

__all__ = ["own_environ", "shared_api"]

NOTICE = {"type": "NOTIFICATION", "title": "t", "content": "c"}


def count_queries(api: Api) -> float:
    """How many queries ingest has sent to PostgreSQL so far, for sends and lists."""
    text = api.ask("GET", "//metrics").text
    found = re.findall(r'carillon_database_wait_seconds_count{share="(?:sends|lists)"} (\S+)', text)
    return sum(map(float, found))


def test_a_batch_of_media_messages_does_not_cost_a_query_an_entry(shared_api: Api) -> None:
    """Five hundred media keys of a batch are looked up together; each that was never granted makes its entry 403."""
    keys = (f"app-7/{number:032x}.png" for number in range(500))
    entries = [NOTICE | {"receiver_id": 2, "content_type": "IMAGE", "content": key} for key in keys]
    before = count_queries(shared_api)
    answer = shared_api.ask(
        "POST", "/messages/batch", headers=shared_api.app(), json={"messages": entries}
    )
    assert {result["status"] for result in answer.json()["results"]} == {403}
    assert count_queries(shared_api) - before < 20


def test_a_batch_of_broadcasts_with_audiences_goes_through(shared_api: Api) -> None:
    """Sixty broadcasts of a batch are all accepted: their audiences take turns, as a caller may resolve few at once."""
    entries = [NOTICE | {"is_broadcast": True, "audience": {"user_ids": [1, 2, 3]}}] * 60
    answer = shared_api.ask(
        "POST", "/messages/batch", headers=shared_api.app(), json={"messages": entries}
    )
    assert [result["status"] for result in answer.json()["results"]] == [200] * 60


def test_sends_over_the_rate_limit_do_not_cost_a_query_each(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A hundred sends over the limit, each with a key that may be an old one, have their keys looked up together."""
    limited = {
        "CARILLON_PERSON_RATE_PER_SECOND": "1",
        "CARILLON_PERSON_BURST": "1",
        "CARILLON_APP_LIMIT_WAIT_SECONDS": "10",
    }
    with run_api({**own_environ, **limited}, engine) as api, ThreadPoolExecutor(50) as pool:
        me = api.person(1)

        def send(number: int) -> int:
            return api.send({**me, "Idempotency-Key": str(number)}, receiver_id=2).status_code

        while api.send(me, receiver_id=2).status_code != 429:
            pass
        before = count_queries(api)
        statuses = list(pool.map(send, range(100)))
        assert statuses.count(429) > 90
        # Two statements a round and one connection; a question each would be a hundred.
        assert count_queries(api) - before < 80


def test_a_long_body_full_of_numbers_holds_nobody_up(shared_api: Api) -> None:
    """While a batch of megabytes is parsed, other requests are answered again and again."""
    entry = b'{"content":{"a":[' + b"1.5," * 5000 + b"1]}}"
    body = b'{"messages":[' + b",".join([entry] * 250) + b"]}"
    headers = {**shared_api.app(), "Idempotency-Key": "long", "X-Request-Id": "long"}
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(
            shared_api.ask, "POST", "/messages/batch", headers=headers, content=body
        )
        longest = 0.0
        while not asked.done():
            one = time.monotonic()
            assert shared_api.ask("GET", "//healthz").status_code == 200
            longest = max(longest, time.monotonic() - one)
        took = time.monotonic() - began
    assert {result["status"] for result in asked.result().json()["results"]} == {422}
    assert longest < max(took / 2, 0.1)
