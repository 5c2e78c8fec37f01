"""Pauses at the console."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from storage.model.operator import Role
from tests.ingest.api_server import Api
from tests.ingest.console.pages import act_as, add_operator, get, post, read_audit

OA = {"kind": "app", "target": "oa"}


def test_an_app_and_a_queue_are_paused_and_resumed(console: Api, engine: Engine) -> None:
    """A pause is set, shown with who set it and on the overview, changed, and ended; each of these is a row of the audit."""
    add_operator(engine, "wang")
    until = datetime.now(UTC) + timedelta(hours=1)
    with act_as(console, "wang"):
        assert post(console, "pauses", json=OA | {"reason": "an upgrade"}).status_code == 200
        queue = {"kind": "queue", "target": "broadcasts", "until": until.isoformat()}
        assert post(console, "pauses", json=queue).status_code == 200
        listed = get(console, "pauses").json()
        assert [(one["kind"], one["target"]) for one in listed] == [("queue", "broadcasts"), ("app", "oa")]  # fmt: skip
        assert listed[1]["reason"] == "an upgrade"
        assert listed[1]["until"] is None
        assert {one["paused_by"] for one in listed} == {"wang"}
        assert get(console, "look").json()["pauses"] == listed
        for one in listed:
            assert post(console, "pauses/resume", json=one).status_code == 200
        assert get(console, "pauses").json() == []
    acts = [row.act for row in read_audit(engine, who="wang")]
    assert acts.count("pause.set") == acts.count("pause.end") == 2


def test_a_pause_that_cannot_be_is_refused_with_a_sentence(console: Api) -> None:
    """An unknown app or queue, an end in the past and a body of another form are refused, and nothing is paused."""
    past = {"until": "2020-01-01T00:00:00Z"}
    for body, status in (
        ({"kind": "app", "target": "oa2"}, 404),
        ({"kind": "queue", "target": "upkeep"}, 422),
        ({"kind": "lane", "target": "oa"}, 422),
        (OA | past, 422),
        (OA | {"until": "tomorrow"}, 422),
        (OA | {"reason": "x" * 501}, 422),
        ({}, 422),
        ([], 422),
    ):
        answer = post(console, "pauses", json=body)
        assert answer.status_code == status, body
        assert answer.json()["detail"]
    assert get(console, "pauses").json() == []


def test_a_viewer_pauses_nothing(console: Api, engine: Engine) -> None:
    """A viewer who asks for a pause gets 403, and the audit has a row."""
    add_operator(engine, "li", role=Role.VIEWER)
    with act_as(console, "li"):
        assert post(console, "pauses", json=OA).status_code == 403
        assert get(console, "pauses").json() == []
    assert [row.act for row in read_audit(engine, who="li", act="refused")] == ["refused"]
