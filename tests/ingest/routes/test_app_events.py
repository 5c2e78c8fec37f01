"""`GET /apps/me/events`: an app pulls what became of what it sent (contract §9)."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from ingest.app_event_waits import WAITS_OF_AN_APP
from ops.local.polling import wait_until
from storage.postgres.sends import failed_sends
from tests.ingest.api_server import Api, run_api
from tests.storage.postgres.app_events.steps import ask_for, write

PATH = "/apps/me/events"


def pull(api: Api, app_id: str = "oa", **params: Any) -> Any:
    """The JSON of an app's pull, which must succeed."""
    answer = api.ask("GET", PATH, headers=api.app(app_id), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def find_callback(api: Api) -> Any:
    """The row of app oa."""
    with api.engine.begin() as connection:
        return connection.execute(text("SELECT * FROM app_callbacks WHERE app_id = 7")).one()


def test_an_app_pulls_what_became_of_its_sends(api: Api) -> None:
    """A read and a dead letter are there in order, with instants in both forms, and `after` leads past them."""
    ask_for(api.engine)
    id = api.send_for_id(api.app(), type="NOTIFICATION", receiver_id=2)
    api.deliver()
    api.ask("PUT", "/messages/read-all", headers=api.person(2))
    first = pull(api)
    [event] = first["items"]
    [read] = event["data"]["reads"]
    assert (event["seq"], event["type"], first["next_after"]) == (1, "message.read", 1)
    assert (read["message_id"], read["user_id"], read["app_user_id"]) == (id, 2, "lisi")
    assert (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(read["read_at_ms"] // 1000))
        == read["read_at"]
    )
    assert (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(event["time_ms"] // 1000)) == event["time"]
    )
    lost = api.send_for_id(api.app(), type="NOTIFICATION", receiver_id=2, client_ref="mine")
    with api.engine.begin() as connection:
        failed_sends.move_to_failed(connection, [lost])
    second = pull(api, after=1)
    assert [one["data"] for one in second["items"]] == [{"message_id": lost, "client_ref": "mine"}]
    assert pull(api, after=second["next_after"]) == {"items": [], "next_after": 2}
    assert [one["seq"] for one in pull(api)["items"]] == [1, 2]


def test_an_app_has_its_own_events_and_no_others(api: Api) -> None:
    """What one app is told is not told to another, and an app that asked for nothing has an empty page."""
    ask_for(api.engine)
    with api.engine.begin() as connection:
        write(connection, 1)
    assert pull(api, "crm", after=5) == {"items": [], "next_after": 5}
    assert len(pull(api)["items"]) == 1


def test_a_pull_says_how_far_the_app_has_them(api: Api) -> None:
    """The highest `after` is noted, but no more than was given out, and never less than before."""
    ask_for(api.engine)
    with api.engine.begin() as connection:
        for mark in range(3):
            write(connection, mark)
    assert pull(api, limit=2)["next_after"] == 2
    assert find_callback(api).pulled_up_to == 0
    pull(api, after=2)
    pull(api, after=1)
    assert find_callback(api).pulled_up_to == 2
    pull(api, after=2**62)
    assert find_callback(api).pulled_up_to == 3


@pytest.mark.parametrize(
    "params",
    [
        {"after": -1},
        {"after": "x"},
        {"after": 2**63},
        {"limit": 0},
        {"limit": 101},
        {"wait": 31},
        {"wait": -1},
        {"wait": "1.5"},
    ],
)
def test_parameters_out_of_bounds_are_refused(shared_api: Api, params: Mapping[str, Any]) -> None:
    """A number that is none, or out of its bounds, is 422 and names its parameter."""
    answer = shared_api.ask("GET", PATH, headers=shared_api.app(), params=params)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", *params]


def test_a_pull_that_waits_holds_no_connection_and_has_what_comes(api: Api) -> None:
    """While as many pulls wait as may, nothing of theirs is busy in PostgreSQL; all have the event when it is committed."""
    ask_for(api.engine)
    with ThreadPoolExecutor(WAITS_OF_AN_APP) as pool:
        waiting = [pool.submit(wait_for_event, api) for _ in range(WAITS_OF_AN_APP)]
        assert wait_until(lambda: is_full(api), seconds=30)
        with api.engine.begin() as connection:
            busy = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                       AND application_name LIKE 'carillon ingest%' AND state LIKE 'idle in transaction%'"""
            assert connection.execute(text(busy)).scalar_one() == 0
            write(connection, 1)
        pages = [one.result() for one in waiting]
    assert [page["items"][0]["data"] for page in pages] == [{"mark": 1}] * WAITS_OF_AN_APP


def wait_for_event(api: Api) -> Any:
    """Pull until there is an event; the place of this pull may be taken by one that looks whether all are taken."""
    answer = api.ask("GET", PATH, headers=api.app(), params={"wait": 30}, timeout=60)
    while answer.status_code == 429:
        answer = api.ask("GET", PATH, headers=api.app(), params={"wait": 30}, timeout=60)
    return answer.json()


def is_full(api: Api) -> bool:
    """Whether one more pull that waits is refused; it must not wait itself for long."""
    answer = api.ask("GET", PATH, headers=api.app(), params={"wait": 1})
    if answer.status_code == 429:
        assert answer.json()["code"] == "TOO_MANY_AT_ONCE"
        assert answer.headers["Retry-After"]
    return answer.status_code == 429


def test_a_wait_ends_with_nothing(api: Api) -> None:
    """If nothing happens within the wait, the page is empty and goes on where it was."""
    ask_for(api.engine)
    assert pull(api, after=0, wait=1) == {"items": [], "next_after": 0}


def test_clients_that_went_away_wait_no_more(api: Api) -> None:
    """The places of clients that hung up while they waited are free again long before their time is over."""
    ask_for(api.engine)
    for _ in range(WAITS_OF_AN_APP):
        with pytest.raises(httpx.ReadTimeout):
            api.ask("GET", PATH, headers=api.app(), params={"wait": 30}, timeout=0.5)
    assert wait_until(lambda: not is_full(api), seconds=20)


def test_pullers_miss_nothing_while_processes_come_and_go(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Three clients that go on by `after` each have every event once, in order, though ingest is stopped and started."""
    ask_for(engine)
    total, is_over = 60, Event()

    def write_all() -> None:
        for mark in range(total):
            with engine.begin() as connection:
                write(connection, mark)
            time.sleep(0.02)
        is_over.set()

    def follow() -> list[int]:
        seen: list[int] = []
        after = 0
        ends_at = time.monotonic() + 60
        while len(seen) < total and time.monotonic() < ends_at:
            api = running[-1]
            try:
                page = pull(api, after=after, limit=7, wait=1)
            except (httpx.HTTPError, RuntimeError):
                continue
            seen += [event["data"]["mark"] for event in page["items"]]
            after = page["next_after"]
        return seen

    running: list[Api] = []
    with ThreadPoolExecutor(4) as pool:
        with run_api(own_environ, engine) as api:
            running.append(api)
            writer = pool.submit(write_all)
            followers = [pool.submit(follow) for _ in range(3)]
            assert wait_until(lambda: find_callback(api).last_seq > 5, seconds=30)
        with run_api(own_environ, engine) as api:
            running.append(api)
            writer.result()
            for follower in followers:
                assert follower.result() == list(range(total))
