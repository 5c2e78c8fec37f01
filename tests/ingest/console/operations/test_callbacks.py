"""Apps' endpoints at the console."""

from sqlalchemy import Engine, text

from storage.model.operator import Role
from tests.ingest.api_server import Api
from tests.ingest.console.pages import act_as, add_operator, get, post, read_audit
from tests.storage.postgres.app_events.steps import ask_for, number_all, write

PAUSED = "status = 'PAUSED', attempts = 9, last_error = 'It answered 500.', taken_up_to = 2"


def prepare(engine: Engine, change: str) -> None:
    """App 7 with an endpoint, three numbered events, and its row changed."""
    ask_for(engine, url="https://oa.example.com/events")
    for mark in range(3):
        with engine.begin() as connection:
            write(connection, mark)
    number_all(engine)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE app_callbacks SET {change}"))


def test_a_stopped_endpoint_is_shown_and_called_again(console: Api, engine: Engine) -> None:
    """It is listed with why and what waits; an operator has it called again, and what waits rings for the worker."""
    assert get(console, "callbacks").json() == []
    prepare(engine, PAUSED)
    [one] = get(console, "callbacks").json()
    assert (one["app_id"], one["status"], one["failures"], one["waiting"]) == ("oa", "PAUSED", 9, 1)
    assert one["last_error"] == "It answered 500."
    add_operator(engine, "wang")
    with act_as(console, "wang"):
        assert post(console, "callbacks/7/test").status_code == 422
        assert post(console, "callbacks/7/resume").status_code == 200
        assert post(console, "callbacks/7/test").status_code == 200
    [one] = get(console, "callbacks").json()
    assert (one["status"], one["failures"], one["waiting"]) == ("ACTIVE", 0, 2)
    acts = [(row.act, row.target) for row in read_audit(engine, who="wang", target="app oa")]
    assert acts == [("callback.test", "app oa"), ("callback.resume", "app oa")]


def test_an_app_is_told_again_from_a_number_on(console: Api, engine: Engine) -> None:
    """All from that number on waits again; a number that it was not told, or none, is refused."""
    prepare(engine, "taken_up_to = 3")
    wrong: tuple[object, ...] = ({"seq": 0}, {"seq": 4}, {"seq": "1"}, {}, [])
    for body in wrong:
        assert post(console, "callbacks/7/replay", json=body).status_code == 422, body
    assert post(console, "callbacks/7/replay", json={"seq": 2}).json() == {"events": 2}
    [one] = get(console, "callbacks").json()
    assert (one["waiting"], one["taken_up_to"]) == (2, 1)


def test_a_viewer_looks_only(console: Api, engine: Engine) -> None:
    """A viewer sees the endpoints, and none of the acts is theirs."""
    prepare(engine, PAUSED)
    add_operator(engine, "li", role=Role.VIEWER)
    with act_as(console, "li"):
        assert len(get(console, "callbacks").json()) == 1
        for act in ("resume", "test", "replay"):
            assert post(console, f"callbacks/7/{act}", json={"seq": 1}).status_code == 403
