"""The routes of broadcasts: audience, report, list, the people who have not read it, cancel, recall (contract §3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.postgres.broadcasts import expansion, planning, recalls
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import conversations
from tests.ingest.api_server import Api

NOTICE = {"type": "NOTIFICATION", "is_broadcast": True}
LEASE = timedelta(seconds=30)


def expand(api: Api, *, chunk_size: int = 2, chunks: int = 100) -> None:
    """Persist, plan and expand up to `chunks`, as workers would."""
    api.deliver()
    with api.engine.begin() as connection:
        while planning.plan_next(connection, PlanLimits(chunk_size)):
            pass
        for _ in range(chunks):
            if chunk := expansion.expand_next(connection, lease=LEASE):
                expansion.mark_published(connection, chunk)


def report(api: Api, id: int) -> Any:
    """What its app is told."""
    return api.ask("GET", f"/broadcasts/{id}", headers=api.app()).json()


def test_named_people_get_it_and_unknown_ones_are_listed(api: Api) -> None:
    """An audience of ids gets the broadcast once each; unknown, disabled and deleted ones are listed and are no error."""
    id = api.send_for_id(api.app(), **NOTICE, audience={"user_ids": [5, 2, 99, 2, 8, 9]})
    expand(api)
    shown = report(api, id)
    assert (shown["status"], shown["total"]) == ("DONE", 2)
    assert shown["unresolved"] == ["99", "8", "9"]


def test_people_are_named_by_the_apps_own_accounts(api: Api) -> None:
    """An audience of the app's own names is resolved through its mappings when the broadcast is accepted."""
    names = ["lisi", "zhangsan", "nobody", "ghost", "gone", "li.si"]
    id = api.send_for_id(api.app(), **NOTICE, audience={"app_user_ids": names})
    expand(api)
    shown = report(api, id)
    assert shown["total"] == 2
    assert shown["unresolved"] == ["nobody", "ghost", "gone", "li.si"]
    page = api.ask("GET", f"/broadcasts/{id}/unread", headers=api.app()).json()
    assert page == {
        "items": [
            {"user_id": 2, "app_user_id": "lisi", "name": "人2"},
            {"user_id": 3, "app_user_id": "zhangsan", "name": "人3"},
        ]
    }


@pytest.mark.parametrize(
    ("audience", "more"),
    [
        ({}, NOTICE),
        ({"user_ids": [1], "app_user_ids": ["lisi"]}, NOTICE),
        ({"user_ids": []}, NOTICE),
        ({"user_ids": ["1"]}, NOTICE),
        ({"user_ids": [1]}, {"type": "NOTIFICATION", "receiver_id": 2}),
    ],
)
def test_an_audience_that_is_none_is_refused(shared_api: Api, audience: Any, more: Any) -> None:
    """An audience that is empty, named in two ways, not of whole numbers, or not of a broadcast is 422."""
    assert shared_api.send(shared_api.app(), **more, audience=audience).status_code == 422


@pytest.mark.parametrize(
    ("way", "bad"),
    [("user_ids", "x"), ("user_ids", 1.5), ("user_ids", True), ("user_ids", 2**63), ("user_ids", None), ("app_user_ids", 1), ("app_user_ids", ""), ("app_user_ids", "x" * 256), ("app_user_ids", {})],
)  # fmt: skip
def test_an_audience_of_bad_entries_has_a_short_answer(
    shared_api: Api, way: str, bad: object
) -> None:
    """The answer to an audience of 20,000 bad entries names twenty by their place and says how many there are."""
    good: object = 1 if way == "user_ids" else "lisi"
    answer = shared_api.send(shared_api.app(), **NOTICE, audience={way: [good, *[bad] * 20_000]})
    assert answer.status_code == 422
    assert len(answer.content) < 1000
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "audience", way]
    assert problem["msg"].startswith("20000 of 20001 entries are not ")
    assert problem["msg"].endswith(", 18, 19, 20")


def test_an_audience_may_have_100_000_people_and_no_more(shared_api: Api) -> None:
    """An audience of 100,000 people is accepted though its body is long; one more is 422, a person's long body 413."""
    names = [f"account-{number:06}" for number in range(100_001)]
    app, person = shared_api.app(), shared_api.person(1)
    assert shared_api.send(app, **NOTICE, audience={"app_user_ids": names}).status_code == 422
    answer = shared_api.send(app, **NOTICE, audience={"app_user_ids": names[:-1]})
    assert answer.status_code == 200, answer.text
    assert len(report(shared_api, answer.json()["id"])["unresolved"]) == 100_000
    assert shared_api.send(person, audience={"app_user_ids": names}).status_code == 413


def test_scheduled_ones_are_reported_and_listed(api: Api) -> None:
    """A scheduled broadcast is SCHEDULED in its report and in the list of its app, and in no other app's."""
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    id = api.send_for_id(api.app(), **NOTICE, send_at=later)
    assert report(api, id)["status"] == "SCHEDULED"
    listed = api.ask("GET", "/broadcasts", headers=api.app()).json()
    assert [(one["id"], one["status"]) for one in listed] == [(id, "SCHEDULED")]
    assert api.ask("GET", "/broadcasts", headers=api.app("crm")).json() == []


def test_read_and_unread_add_up(api: Api) -> None:
    """The report counts the people who have read a broadcast, and the pages of `unread` list all others."""
    id = api.send_for_id(api.app(), **NOTICE)
    expand(api)
    with api.engine.begin() as connection:
        for user in (1, 4):
            conversations.mark_all_read(connection, user)
    assert (report(api, id)["read"], report(api, id)["total"]) == (2, 6)
    path = f"/broadcasts/{id}/unread?limit=2"
    first = api.ask("GET", path, headers=api.app()).json()["items"]
    rest = api.ask("GET", f"{path}&after_user_id={first[-1]['user_id']}", headers=api.app()).json()
    assert [one["user_id"] for one in first + rest["items"]] == [2, 3, 5, 6]
    assert api.ask("GET", path, headers=api.app("crm")).status_code == 404


def test_a_cancel_answers_what_was_delivered(api: Api) -> None:
    """Cancelling answers CANCELLED with how many people have it, as often as it is repeated; what is done stays done."""
    id, done = (
        api.send_for_id(api.app(), **NOTICE),
        api.send_for_id(api.app(), **NOTICE, audience={"user_ids": [1]}),
    )
    expand(api, chunks=1)
    for _ in range(2):
        shown = api.ask("POST", f"/broadcasts/{id}/cancel", headers=api.app()).json()
        assert (shown["status"], shown["expanded"], shown["total"]) == ("CANCELLED", 2, 6)
    expand(api)
    assert report(api, id)["expanded"] == 2
    shown = api.ask("POST", f"/broadcasts/{done}/cancel", headers=api.app()).json()
    assert shown["status"] == "DONE"
    assert api.ask("POST", f"/broadcasts/{id}/cancel", headers=api.app("crm")).status_code == 404


def test_a_broadcast_is_taken_back_by_its_app(api: Api) -> None:
    """A recall is 202 and RECALLING, then RECALLED and gone from histories; a receiver gets 403, a stranger 404."""
    id = api.send_for_id(api.app(), **NOTICE, audience={"user_ids": [1, 2, 3]})
    expand(api)
    path = f"/messages/{id}"
    assert api.ask("DELETE", path, headers=api.person(2)).status_code == 403
    assert api.ask("DELETE", path, headers=api.person(4)).status_code == 404
    assert api.ask("DELETE", path, headers=api.app("crm")).status_code == 404
    for _ in range(2):
        answer = api.ask("DELETE", path, headers=api.app())
        assert (answer.status_code, answer.headers["location"]) == (202, f"/api/v1/broadcasts/{id}")
    assert report(api, id)["status"] == "RECALLING"
    with api.engine.begin() as connection:
        while chunk := recalls.take_back_next(connection, lease=LEASE):
            recalls.mark_recalled(connection, chunk)
    shown = report(api, id)
    assert (shown["status"], shown["recalled"]) == ("RECALLED", 3)
    assert api.ask("GET", "/messages/conversations", headers=api.person(2)).json() == []
    assert api.ask("GET", path, headers=api.app()).json()["status"] == "RECALLED"


def test_a_list_is_short_and_the_last_accepted_come_first(api: Api) -> None:
    """The list begins with the last accepted, leaves out who could not be resolved, and can be of one status alone."""
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = api.send_for_id(api.app(), **NOTICE, send_at=soon)
    many = {"app_user_ids": [f"nobody {n} {'x' * 40}" for n in range(20_000)]}
    ids = [api.send_for_id(api.app(), **NOTICE, audience=many) for _ in range(3)]
    answer = api.ask("GET", "/broadcasts?limit=100", headers=api.app())
    assert len(answer.content) < 4_000
    listed = answer.json()
    assert [one["id"] for one in listed] == [*reversed(ids), later]
    assert all("unresolved" not in one and one["held"] is False for one in listed)
    rest = api.ask("GET", f"/broadcasts?before_id={ids[1]}", headers=api.app()).json()
    assert [one["id"] for one in rest] == [ids[0], later]
    due = api.ask("GET", "/broadcasts?status=SCHEDULED", headers=api.app()).json()
    assert [one["id"] for one in due] == [later]
    assert api.ask("GET", "/broadcasts?status=scheduled", headers=api.app()).status_code == 422
    for odd in (0, -1, -(2**63), 2**63 - 1):
        assert api.ask("GET", f"/broadcasts?before_id={odd}", headers=api.app()).status_code == 200


def test_a_message_is_not_delivered_before_its_broadcast_is_done(api: Api) -> None:
    """A broadcast's message is ACCEPTED until all people have it, then DELIVERED, or CANCELLED if stopped (contract §2)."""
    id, stopped = (api.send_for_id(api.app(), **NOTICE) for _ in range(2))

    def status(id: int) -> str:
        return str(api.ask("GET", f"/messages/{id}", headers=api.app()).json()["status"])

    expand(api, chunks=1)
    assert (status(id), status(stopped)) == ("ACCEPTED", "ACCEPTED")
    api.ask("POST", f"/broadcasts/{stopped}/cancel", headers=api.app())
    expand(api)
    assert (status(id), status(stopped)) == ("DELIVERED", "CANCELLED")
    api.ask("DELETE", f"/messages/{id}", headers=api.app())
    assert status(id) == "RECALLED"


def test_an_app_lists_its_broadcasts_newest_first(api: Api) -> None:
    """An app lists its own broadcasts from the newest, in pages and without `unresolved`; another app sees none of them."""
    ids = [api.send_for_id(api.app("oa"), type="NOTIFICATION", is_broadcast=True) for _ in range(3)]
    api.deliver()
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params={"limit": 2})
    assert [report["id"] for report in answer.json()] == ids[:0:-1]
    older = {"before_id": ids[1]}
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params=older)
    assert [report["id"] for report in answer.json()] == ids[:1]
    assert list(answer.json()[0]) == [
        "id", "status", "total", "expanded", "failed_chunks", "last_error", "held", "recalled", "read",
        "created_at", "created_at_ms", "started_at", "started_at_ms", "finished_at", "finished_at_ms",
        "rate_per_second",
    ]  # fmt: skip
    assert api.ask("GET", "/broadcasts", headers=api.app("crm")).json() == []
