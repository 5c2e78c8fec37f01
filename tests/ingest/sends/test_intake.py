"""Accepting on a real database: once for one key, together, and quickly refused when it cannot be."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, func, select, text

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.postgres.database import make_blocking_engine
from storage.postgres.schema import upgrade
from storage.postgres.tables import accepted
from storage.settings import DatabaseSettings, load
from tests import services
from tests.ingest.conftest import environment, populate
from tests.ingest.running import API, Api, running


def count(engine: Engine) -> int:
    """How many sends are in the record's intake."""
    with engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(accepted)).scalar_one()


def metric(api: Api, name: str) -> float:
    """One number of /metrics."""
    lines = api.ask("GET", "//metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def send_many(api: Api, number: int, **headers: str) -> list[httpx.Response]:
    """The same private message `number` times at once."""
    caller = api.person(1)

    def one(_number: int) -> httpx.Response:
        return api.send({**caller, **headers}, receiver_id=2)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_one_key_fifty_times_at_once_is_one_row(api: Api, engine: Engine) -> None:
    """Fifty equal answers, all but one marked as a replay (fault row 3)."""
    answers = send_many(api, 50, **{"Idempotency-Key": "k"})
    assert {answer.text for answer in answers if answer.status_code != 200} == set()
    assert len({answer.content for answer in answers}) == 1
    replays = [answer.headers.get("Idempotency-Replay") for answer in answers]
    assert replays.count("true") == 49
    assert count(engine) == 1


def test_a_retry_gets_the_first_answer_though_the_receiver_is_gone(
    api: Api, engine: Engine
) -> None:
    """What would be refused today was accepted then: the same key gives that answer again."""
    key = {"Idempotency-Key": "k"}
    first = api.sent({**api.person(1), **key}, receiver_id=2)
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 2"))
    assert wait_until(lambda: api.send(api.person(1), receiver_id=2).status_code == 404, seconds=20)
    again = api.send({**api.person(1), **key}, receiver_id=2)
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert again.headers["Idempotency-Replay"] == "true"


def test_a_key_is_the_callers_own_and_its_body_s(api: Api, engine: Engine) -> None:
    """Another caller's is another key; another body is 422 and sends nothing."""
    key = {"Idempotency-Key": "k"}
    first = api.sent({**api.person(1), **key}, receiver_id=2)
    assert api.sent({**api.person(2), **key}, receiver_id=2) != first
    assert api.sent({**api.person(1), **key}, receiver_id=2) == first
    refused = api.send({**api.person(1), **key}, receiver_id=3)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    assert (
        api.send({**api.person(1), "Idempotency-Key": "x" * 256}, receiver_id=2).status_code == 422
    )
    assert count(engine) == 2


def test_a_request_that_was_refused_leaves_its_key_free(api: Api) -> None:
    """The corrected body may use it."""
    key = {**api.person(1), "Idempotency-Key": "k"}
    assert api.send(key, receiver_id=404).status_code == 404
    assert api.send(key, receiver_id=2).status_code == 200


def test_sends_at_once_are_committed_together(api: Api, engine: Engine) -> None:
    """Far fewer commits than sends, and every send a row: what comes during a commit waits for the next."""
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE accepted IN SHARE MODE"))
            sending = pool.submit(send_many, api, 60)
            time.sleep(0.3)
        answers = sending.result()
    assert len({answer.json()["id"] for answer in answers}) == 60
    assert count(engine) == 60
    assert metric(api, "carillon_intake_batch_size_count") < 40


def test_the_second_of_two_sends_has_the_larger_id(api: Api) -> None:
    """Contract §2, order: it began after the first was answered."""
    ids = [api.sent(api.person(1), receiver_id=2) for _ in range(40)]
    assert ids == sorted(ids)


def test_a_row_that_the_database_refuses_fails_alone(api: Api, engine: Engine) -> None:
    """The batch it was in is written without it; it is a 500 that says nothing."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE accepted ADD CHECK (title <> 'poison')"))
    caller = api.person(1)

    def one(number: int) -> httpx.Response:
        return api.send(caller, receiver_id=2, title="poison" if number == 7 else "私信")

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(one, range(30)))
    assert [answer.status_code for answer in answers].count(200) == 29
    assert answers[7].status_code == 500
    assert answers[7].json() == {"detail": "Something went wrong here."}
    assert answers[7].headers["X-Request-Id"]
    assert count(engine) == 29
    entries = [
        {"type": "MESSAGE", "title": t, "content": "c", "receiver_id": 2}
        for t in ("t", "poison", "t")
    ]
    answer = api.ask("POST", "/messages/batch", headers=api.app(), json={"messages": entries})
    assert [result["status"] for result in answer.json()["results"]] == [200, 500, 200]


def test_past_the_cap_it_is_503_until_there_is_room(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """With a Retry-After, and nothing written."""
    settings = {"CARILLON_ACCEPTED_CAP": "5", "CARILLON_BACKLOG_INTERVAL_SECONDS": "0.05"}
    with running({**own_environ, **settings}, engine) as api:
        answers = [api.send(api.person(1), receiver_id=2) for _ in range(10)]
        refused = answers[-1]
        assert refused.status_code == 503
        assert 1 <= int(refused.headers["Retry-After"]) <= 5
        # What was accepted since the last count may be counted twice until the next.
        assert 1 <= count(engine) <= 5
        api.deliver()
        assert eventually(lambda: api.send(api.person(1), receiver_id=2).status_code == 200)


def test_a_bell_that_cannot_be_rung_changes_nothing(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """The broker is away: sends are accepted, quickly."""
    with running({**own_environ, "CARILLON_BROKER_URL": "redis://127.0.0.1:1/0"}, engine) as api:
        began = time.monotonic()
        for _ in range(10):
            api.sent(api.person(1), receiver_id=2)
        assert time.monotonic() - began < 5


@pytest.fixture
def fragile(
    tmp_path: Path, valkey_server: EmbeddedValkey
) -> Iterator[tuple[EmbeddedPostgres, Api]]:
    """A PostgreSQL of the test's own, to kill and freeze, and a server on it."""
    with services.folder() as folder:
        server = EmbeddedPostgres(folder / "postgres")  # it must not forget when it is killed
        server.start()
        environ = environment(server.url, valkey_server, tmp_path)
        settings = load(DatabaseSettings, environ)
        upgrade(settings)
        engine = make_blocking_engine(settings, application_name="tests")
        with engine.begin() as connection:
            populate(connection, environ)
        with running(environ, engine) as api:
            yield server, api
        engine.dispose()
        server.kill()


def refused_quickly(api: Api) -> bool:
    """Whether sends of new and of remembered callers are 503 with Retry-After within a second.

    One of the four may take longer: the machine of a test run has other things to do.
    """
    took: list[float] = []
    for caller in (api.person(1), api.person(3), api.app("oa"), api.app("crm")):
        began = time.monotonic()
        answer = api.send(caller, receiver_id=2)
        took.append(time.monotonic() - began)
        assert answer.status_code == 503, answer.text
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
        assert answer.json()["detail"]
    assert sorted(took)[-2] < 1, took
    return True


def test_without_a_database_it_is_503_within_a_second(
    fragile: tuple[EmbeddedPostgres, Api],
) -> None:
    """Killed, frozen, and back again (fault rows 14 and 15)."""
    server, api = fragile
    assert api.send(api.person(1), receiver_id=2).status_code == 200
    server.kill()
    assert refused_quickly(api)
    server.start()
    assert eventually(lambda: api.send(api.person(1), receiver_id=2).status_code == 200)
    server.freeze()
    try:
        assert refused_quickly(api)
        assert refused_quickly(api)
    finally:
        server.thaw()
    assert eventually(lambda: api.send(api.person(1), receiver_id=2).status_code == 200)
    assert api.client.get(f"{API}/messages/conversations", headers=api.person(1)).status_code == 200


def eventually(condition: object, *, seconds: float = 15) -> bool:
    """Whether it comes true in time."""
    from ops.local.polling import wait_until

    return wait_until(condition, seconds=seconds)  # type: ignore[arg-type]
