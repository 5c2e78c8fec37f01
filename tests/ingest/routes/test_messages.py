"""A message as its sender and receivers can ask after it, and `Prefer: wait` (contract §2)."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.postgres.sends import failed_sends
from storage.postgres.sends.withdrawals import withdraw
from tests.ingest.api_server import Api, run_api


def test_status_follows_the_message(api: Api) -> None:
    """The status of a message is ACCEPTED and then DELIVERED; that of a scheduled one is SCHEDULED."""
    message_id = api.send_for_id(api.person(1), receiver_id=2)
    assert status(api, message_id) == "ACCEPTED"
    api.deliver()
    assert status(api, message_id) == "DELIVERED"
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    answer = api.send(api.person(1), receiver_id=2, send_at=later)
    assert answer.json()["created_at"] == later[:-1]
    assert status(api, answer.json()["id"]) == "SCHEDULED"


def status(api: Api, message_id: int) -> str:
    """What its sender is told."""
    return str(api.ask("GET", f"/messages/{message_id}", headers=api.person(1)).json()["status"])


def test_a_wait_ends_when_the_message_is_in_the_history(api: Api) -> None:
    """The answer to a send that waits comes when the message is in the history, and Preference-Applied says so."""
    stop = Event()

    def work() -> None:
        while not stop.wait(0.05):
            api.deliver()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        answer = api.send({**api.person(1), "Prefer": "wait=10"}, receiver_id=2)
        stop.set()
    assert answer.headers["Preference-Applied"] == "wait=10"
    shown = api.read(f"/messages/{answer.json()['id']}", person=2)
    assert shown["status"] == "DELIVERED"


@pytest.mark.parametrize("is_broadcast", [False, True])
def test_a_wait_for_what_fails_or_is_taken_back_does_not_say_applied(
    api: Api, *, is_broadcast: bool
) -> None:
    """Waiting for a send that fails or is taken back ends as soon as that is known, without Preference-Applied."""
    for end in (failed_sends.move_to_failed, take_back):
        with ThreadPoolExecutor(1) as pool:
            ending = pool.submit(end_what_waits, api, end)
            headers = {**api.app("oa"), "Prefer": "wait=10"}
            body = {"is_broadcast": True} if is_broadcast else {"receiver_id": 2}
            began = time.monotonic()
            answer = api.send(headers, type="NOTIFICATION", **body)
            assert ending.result()
        assert answer.status_code == 200
        assert "Preference-Applied" not in answer.headers
        assert time.monotonic() - began < 8


def take_back(connection: Connection, ids: list[int]) -> None:
    """Take all of them back."""
    for id in ids:
        withdraw(connection, id)


def end_what_waits(api: Api, end: Callable[[Connection, list[int]], None]) -> bool:
    """Do this to the next send that waits; False if none came."""

    def ended() -> bool:
        with api.engine.begin() as connection:
            ids = list(connection.execute(text("SELECT id FROM accepted")).scalars())
            end(connection, ids)
            return bool(ids)

    return wait_until(ended, seconds=8)


def test_a_wait_that_ends_before_is_answered_all_the_same(api: Api) -> None:
    """A send whose wait ends before its message is delivered is answered 200, without Preference-Applied."""
    began = time.monotonic()
    answer = api.send({**api.person(1), "Prefer": "wait=1"}, receiver_id=2)
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers
    assert 1 <= time.monotonic() - began < 5


def test_times_are_in_the_deployments_zone(own_environ: dict[str, str], engine: Engine) -> None:
    """Times are those of the deployment's time zone, without an offset (contract §0)."""
    with run_api({**own_environ, "CARILLON_TIME_ZONE": "Asia/Shanghai"}, engine) as api:
        shown = api.send(api.person(1), receiver_id=2).json()["created_at"]
    eight_hours_on = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 8 * 3600))
    assert shown.startswith(eight_hours_on[:11])
    assert abs(int(shown[11:13]) - int(eight_hours_on[11:13])) <= 1


def test_the_sender_gets_back_what_their_client_called_its_send(api: Api) -> None:
    """`client_ref` is in the answer, in its replay, in the message and in the history, for the sender and nobody else."""
    me = api.person(1)
    answers = [
        api.send({**me, "Idempotency-Key": "k"}, receiver_id=2, client_ref="draft-7").json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["client_ref"] == "draft-7"
    path = f"/messages/{answers[0]['id']}"
    assert api.read(path)["client_ref"] == "draft-7"
    api.deliver()
    assert api.read(path)["client_ref"] == "draft-7"
    assert [one["client_ref"] for one in api.read("/messages/history/2")] == ["draft-7"]
    assert api.read(path, person=2)["client_ref"] is None
    assert [one["client_ref"] for one in api.read("/messages/history/1", person=2)] == [None]


def test_an_app_gets_back_what_it_called_its_sends(api: Api) -> None:
    """Each entry of a batch, and a broadcast, has its own `client_ref` in its answer and when the app asks after it."""
    entry = {"type": "NOTIFICATION", "title": "t", "content": "c"}
    entries = [
        entry | {"receiver_id": 2, "client_ref": "one"},
        entry | {"receiver_id": 2},
        entry | {"is_broadcast": True, "client_ref": "all"},
    ]
    batch = {"messages": entries}
    answer = api.ask("POST", "/messages/batch", headers=api.app(), json=batch).json()
    messages = [one["message"] for one in answer["results"]]
    assert [one["client_ref"] for one in messages] == ["one", None, "all"]
    api.deliver()
    for sent in messages:
        shown = api.ask("GET", f"/messages/{sent['id']}", headers=api.app()).json()
        assert shown["client_ref"] == sent["client_ref"]
    assert [one["client_ref"] for one in api.read("/messages/history/-7", person=2)] == [None, None]
