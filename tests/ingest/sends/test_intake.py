"""Accepting on a real database: together, in order, and quickly refused when it cannot be."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from ingest.metrics import IngestMetrics
from ingest.sends.backlog import BacklogMonitor
from ingest.sends.intake import Intake
from ingest.settings import IngestSettings
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.model.message import ContentType, MessageType
from storage.model.send import Accepted, Send
from storage.postgres.database import Database, make_blocking_engine
from storage.postgres.schema import upgrade
from storage.postgres.sends.intake import IntakeItem
from storage.settings import DatabaseSettings, load
from tests import services
from tests.ingest.api_server import API, Api, run_api
from tests.ingest.conftest import environment, populate
from tests.ingest.sends.record import count_accepted


def test_sends_at_once_are_committed_together(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Sixty sends that come in one turn of the loop are one commit, and each of them is a row."""
    metrics = IngestMetrics()

    async def accept_many() -> list[Accepted]:
        database = Database(load(DatabaseSettings, own_environ), application_name="tests")
        doorbell = Doorbell(load(QueueSettings, own_environ))
        intake = Intake(
            database,
            doorbell=doorbell,
            backlog=BacklogMonitor(database, cap=1000, interval=timedelta(days=1)),
            metrics=metrics,
            settings=IngestSettings(intake_patience=timedelta(seconds=15)),
        )
        try:
            return await asyncio.gather(*(intake.accept(make_item()) for _ in range(60)))
        finally:
            await database.close()
            await asyncio.to_thread(doorbell.close)

    answers = asyncio.run(accept_many())
    assert len({answer.id for answer in answers}) == 60
    assert count_accepted(engine) == 60
    assert b"carillon_intake_batch_size_count 1.0" in metrics.export()


def make_item() -> IntakeItem:
    """A private message of person 1 to person 2."""
    return IntakeItem(
        Send(
            sender_id=1,
            receiver_id=2,
            app_id=None,
            app_name=None,
            sent_by_app_id=None,
            type=MessageType.MESSAGE,
            content_type=ContentType.TEXT,
            title="私信",
            content="你好",
            action_url=None,
            action_text=None,
            filename=None,
            is_broadcast=False,
            audience=None,
            unresolved=(),
            send_at=None,
        )
    )


def test_the_second_of_two_sends_has_the_larger_id(api: Api) -> None:
    """A send that began after another was answered has the larger id (contract §2, order)."""
    ids = [api.send_for_id(api.person(1), receiver_id=2) for _ in range(40)]
    assert ids == sorted(ids)


def test_a_row_that_the_database_refuses_fails_alone(api: Api, engine: Engine) -> None:
    """A row that PostgreSQL refuses is a 500 that says nothing; the others of its batch are accepted."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE accepted ADD CHECK (title <> 'poison')"))
    caller = api.person(1)

    def one(number: int) -> httpx.Response:
        return api.send(caller, receiver_id=2, title="poison" if number == 7 else "私信")

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(one, range(30)))
    assert [answer.status_code for answer in answers].count(200) == 29
    assert answers[7].status_code == 500
    assert answers[7].json() == {
        "detail": "Something went wrong here.",
        "code": "INTERNAL",
        "request_id": answers[7].headers["X-Request-Id"],
    }
    assert count_accepted(engine) == 29
    entries = [
        {"type": "MESSAGE", "title": t, "content": "c", "receiver_id": 2}
        for t in ("t", "poison", "t")
    ]
    answer = api.ask("POST", "/messages/batch", headers=api.app(), json={"messages": entries})
    assert [result["status"] for result in answer.json()["results"]] == [200, 500, 200]


def test_past_the_cap_it_is_503_until_there_is_room(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Past the cap a send is 503 with Retry-After and writes nothing; once there is room, sends are accepted."""
    settings = {"CARILLON_ACCEPTED_CAP": "5", "CARILLON_BACKLOG_INTERVAL_SECONDS": "0.05"}
    with run_api({**own_environ, **settings}, engine) as api:
        answers = [api.send(api.person(1), receiver_id=2) for _ in range(10)]
        refused = answers[-1]
        assert refused.status_code == 503
        assert 1 <= int(refused.headers["Retry-After"]) <= 5
        # What was accepted since the last count may be counted twice until the next.
        assert 1 <= count_accepted(engine) <= 5
        api.deliver()
        assert wait_until(
            lambda: api.send(api.person(1), receiver_id=2).status_code == 200, seconds=15
        )


def test_scheduled_sends_do_not_count_against_the_cap(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """More scheduled sends than the cap are accepted between two measures, and a live one after them."""
    settings = {"CARILLON_ACCEPTED_CAP": "5", "CARILLON_BACKLOG_INTERVAL_SECONDS": "60"}
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with run_api({**own_environ, **settings}, engine) as api:
        for _ in range(10):
            api.send_for_id(api.person(1), receiver_id=2, send_at=later)
        api.send_for_id(api.person(1), receiver_id=2)
    assert count_accepted(engine) == 11


def test_a_bell_that_cannot_be_rung_changes_nothing(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """While the broker is away sends are accepted, and no slower."""
    with run_api({**own_environ, "CARILLON_BROKER_URL": "redis://127.0.0.1:1/0"}, engine) as api:
        began = time.monotonic()
        for _ in range(10):
            api.send_for_id(api.person(1), receiver_id=2)
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
        with run_api(environ, engine) as api:
            yield server, api
        engine.dispose()
        server.kill()


def refuses_quickly(api: Api) -> bool:
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
    """While PostgreSQL is killed or frozen sends are 503 within a second; then all is well (fault rows 14, 15)."""
    server, api = fragile
    assert api.send(api.person(1), receiver_id=2).status_code == 200
    server.kill()
    assert refuses_quickly(api)
    server.start()
    assert wait_until(lambda: api.send(api.person(1), receiver_id=2).status_code == 200, seconds=15)
    server.freeze()
    try:
        assert refuses_quickly(api)
        assert refuses_quickly(api)
    finally:
        server.thaw()
    assert wait_until(lambda: api.send(api.person(1), receiver_id=2).status_code == 200, seconds=15)
    assert api.client.get(f"{API}/messages/conversations", headers=api.person(1)).status_code == 200
