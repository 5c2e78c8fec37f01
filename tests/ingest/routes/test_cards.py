"""Cards that change: `PATCH /messages/{id}` and `/messages/by-ref/{ref}`, to-dos and their count (contract §8)."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.postgres.messages import cards
from storage.postgres.sends import failed_sends
from tests.ingest.api_server import Api

CARD: dict[str, Any] = {
    "type": "NOTIFICATION",
    "receiver_id": 2,
    "title": "审批通知",
    "content": "李四申请请假两天",
    "ref": "leave-123",
    "state": "PENDING",
    "state_text": "待处理",
}
DONE: dict[str, Any] = {"state": "DONE", "state_text": "已由张三处理"}


def send_card(api: Api, **changes: Any) -> int:
    """A card of the app `oa`, to person 2 unless changed; its id."""
    return api.send_for_id(api.app(), **CARD | changes)


def change(
    api: Api, path: int | str, *, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    """`PATCH /messages/…` by the app `oa`, unless others call."""
    return api.ask("PATCH", f"/messages/{path}", headers=headers or api.app(), json=body)


def test_a_card_is_pending_and_then_done(api: Api) -> None:
    """The receiver's to-do, the count, the history and the preview show the new form; read state and order stay."""
    first = send_card(api)
    api.deliver()
    [shown] = api.read("/messages/todo", person=2)
    assert {name: shown[name] for name in ("state", "state_text", "ref", "version")} == {
        "state": "PENDING", "state_text": "待处理", "ref": "leave-123", "version": 1,
    }  # fmt: skip
    assert api.read("/messages/unread-count", person=2) == {"total": 1, "todo": 1}
    send_card(api, state=None, ref=None, title="later")
    api.deliver()
    answer = change(api, first, title="已审批", content="同意", **DONE)
    assert answer.status_code == 200
    assert answer.json() == shown | {"title": "已审批", "content": "同意", "version": 2} | DONE
    assert api.read("/messages/unread-count", person=2) == {"total": 2, "todo": 0}
    assert api.read("/messages/todo", person=2) == []
    assert api.read("/messages/todo", person=2, state="DONE") == [answer.json()]
    assert [one["id"] for one in api.read("/messages/history/-7", person=2)][1] == first
    assert api.read("/messages/history/-7", person=2)[1] == answer.json()
    back = change(api, first, state="PENDING").json()
    assert (back["state_text"], back["version"]) == ("已由张三处理", 3)
    assert api.read("/messages/unread-count", person=2)["todo"] == 1


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"expected_version": 1}, "body"),
        ({"title": None}, "title"),
        ({"content": None}, "content"),
        ({"state": None}, "state"),
        ({"title": ""}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"state": "OPEN"}, "state"),
        ({"state_text": "字" * 65}, "state_text"),
        ({"action_url": "ftp://a"}, "action_url"),
        ({"auto_sso": True}, "target_url"),
        ({"auto_sso": True, "target_url": "https://elsewhere.example.com/"}, "target_url"),
        ({"title": "x", "expected_version": 0}, "expected_version"),
    ],
    ids=str,
)
def test_what_a_send_may_not_be_a_change_may_not_be(
    api: Api, body: dict[str, Any], where: str
) -> None:
    """A change with a wrong field is refused with 422 and names it; nothing changes."""
    id = send_card(api)
    api.deliver()
    answer = change(api, id, **body)
    assert answer.status_code == 422, answer.text
    assert {problem["loc"][-1] for problem in answer.json()["detail"]} == {where}
    assert api.read("/messages/todo", person=2)[0]["version"] == 1


def test_only_cards_have_a_state_and_only_apps_send_them(api: Api) -> None:
    """A person gets 403 for a state, an app 422 on a message that is no card, at send and when it is changed."""
    mine = api.send(api.person(1), receiver_id=2, ref="x")
    assert (mine.status_code, mine.json()["code"]) == (403, "FOR_APPS_ONLY")
    plain = {"type": "MESSAGE", "receiver_id": 2, "sender_app_user_id": "lisi"}
    assert api.send(api.app(), **plain, state="DONE").status_code == 422
    id = api.send_for_id(
        api.app(),
        **{**CARD, "content_type": "IMAGE"}
        | {
            "content": "https://a.example.com/b.png",
            "state": None,
            "ref": None,
            "state_text": None,
            "type": "MESSAGE",
        },
    )
    assert change(api, id, state="DONE").status_code == 422
    assert change(api, id, title="another").json()["title"] == "another"


def test_an_unused_ref_and_text_change_nothing_of_the_button(api: Api) -> None:
    """A button stays until it is named: another takes its place, null takes it away; strict names what has no effect."""
    id = send_card(api, action_url="https://oa.example.com/a", action_text="处理")
    shown = change(api, id, **DONE).json()
    assert (shown["action_url"], shown["action_text"]) == ("https://oa.example.com/a", "处理")
    shown = change(api, id, auto_sso=True, target_url="https://oa.example.com/b").json()
    assert shown["action_url"].startswith("/api/v1/simple/sso/jump?app_id=oa&")
    shown = change(api, id, action_url=None, action_text=None, state_text=None).json()
    assert (shown["action_url"], shown["action_text"], shown["state_text"]) == (None, None, None)
    strict = api.app() | {"Prefer": "handling=strict"}
    for body in (
        {"tilte": "x", "title": "x"},
        {"title": "x", "target_url": "https://oa.example.com/b"},
    ):
        answer = change(api, id, headers=strict, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "IGNORED_FIELD")


def test_a_change_of_another_version_is_refused(api: Api) -> None:
    """`expected_version` that is not the current one: 409 with a code; the current one: the change is made."""
    id = send_card(api)
    assert change(api, id, **DONE, expected_version=1).json()["version"] == 2
    late = change(api, id, state="REJECTED", expected_version=1)
    assert (late.status_code, late.json()["code"]) == (409, "VERSION_CHANGED")
    assert change(api, id, state="CLOSED", expected_version=2).json()["version"] == 3


def test_of_many_changes_at_once_each_is_made_once(api: Api) -> None:
    """Twenty changes of one card at once end in version 21; twenty that expect version 21 end in one, and 409 else."""
    id = send_card(api)
    api.deliver()
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: change(api, id, state_text=f"{n}"), range(20)))
        made = [one for one in answers if one.status_code == 200]
        assert sorted(one.json()["version"] for one in made) == list(range(2, 2 + len(made)))
        assert {one.status_code for one in answers} <= {200, 503}
        now = 1 + len(made)
        same = list(
            pool.map(lambda n: change(api, id, state_text=f"{n}", expected_version=now), range(20))
        )
    assert sorted(one.status_code for one in same) == [200, *[409] * 19]
    with api.engine.begin() as connection:
        found = connection.execute(text("SELECT event ->> 'k' FROM outbox")).scalars().all()
        versions = cards.list_versions(connection, id, limit=100)
    assert found == ["u"] * (len(made) + 1)
    assert [one.version for one in versions] == list(range(now + 1, 1, -1))
    assert {one.changed_by for one in versions} == {"app:7"}
    assert all(one.request_id for one in versions)


@pytest.mark.parametrize("place", ["accepted", "scheduled", "held", "failed"])
def test_what_is_not_delivered_yet_is_delivered_in_the_new_form_only(api: Api, place: str) -> None:
    """A card that waits, is scheduled, held or failed changes where it is; what is delivered later is the new form."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    id = send_card(api, **({"send_at": later} if place == "scheduled" else {}))
    if place == "held":
        with api.engine.begin() as connection:
            connection.execute(
                text("""
                WITH gone AS (DELETE FROM accepted RETURNING *)
                INSERT INTO held_sends (id, app_id, payload)
                SELECT id, sent_by_app_id, to_jsonb(gone) FROM gone""")
            )
    if place == "failed":
        with api.engine.begin() as connection:
            failed_sends.move_to_failed(connection, [id])
    assert change(api, id, title="new", **DONE).json()["version"] == 2
    assert change(api, "by-ref/leave-123", title="newer").json() == {"updated_count": 1}
    with api.engine.begin() as connection:
        for table in ("held_sends", "failed_sends"):
            connection.execute(
                text(f"""
                WITH gone AS (DELETE FROM {table} RETURNING payload)
                INSERT INTO accepted SELECT r.* FROM gone,
                LATERAL jsonb_populate_record(NULL::accepted, payload) AS r""")
            )
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 0
    api.deliver()
    [shown] = api.read("/messages/todo", person=2, state="DONE")
    assert (shown["title"], shown["version"], shown["state"]) == ("newer", 3, "DONE")
    assert api.read("/messages/unread-count", person=2) == {"total": 1, "todo": 0}


def test_what_was_recalled_cannot_be_changed(api: Api) -> None:
    """A change after the recall is 409, and the to-do is gone with the message."""
    for is_delivered in (True, False):
        id = send_card(api)
        if is_delivered:
            api.deliver()
        assert api.ask("DELETE", f"/messages/{id}", headers=api.app()).status_code == 204
        answer = change(api, id, **DONE)
        assert (answer.status_code, answer.json()["code"]) == (409, "MESSAGE_IS_RECALLED")
    assert api.read("/messages/todo", person=2) == []
    assert api.read("/messages/unread-count", person=2) == {"total": 0, "todo": 0}
    gone = change(api, "by-ref/leave-123", **DONE)
    assert (gone.status_code, gone.json()["code"]) == (404, "UNKNOWN_REF")


def test_a_card_is_its_own_apps_alone(api: Api) -> None:
    """Another app, and an id or ref that nobody has, get 404; a person gets 403."""
    id = send_card(api)
    api.deliver()
    other = api.app("crm")
    for path in (id, 1, "by-ref/leave-123"):
        assert change(api, path, headers=other, **DONE).status_code == 404
    assert change(api, "by-ref/nothing", **DONE).status_code == 404
    assert change(api, id, headers=api.person(2), **DONE).status_code == 403
    assert api.read("/messages/todo", person=2)[0]["version"] == 1


def test_all_of_a_ref_change_together(api: Api) -> None:
    """One call changes an approval to three people, each to-do with it; others of the app stay as they are."""
    for receiver in (1, 2, 3):
        send_card(api, receiver_id=receiver, ref="a/b ü")
    other = send_card(api)
    api.deliver()
    answer = change(api, "by-ref/a%2Fb%20%C3%BC", **DONE)
    assert answer.json() == {"updated_count": 3}
    for person in (1, 2, 3):
        assert len(api.read("/messages/todo", person=person, state="DONE")) == 1
    assert [one["id"] for one in api.read("/messages/todo", person=2)] == [other]
    stale = change(api, "by-ref/a%2Fb%20%C3%BC", state="CLOSED", expected_version=1)
    assert stale.status_code == 409
    assert [one["version"] for one in api.read("/messages/todo", person=3, state="DONE")] == [2]


def test_a_thousand_of_a_ref_change_and_one_more_is_too_many(api: Api) -> None:
    """1,000 messages of one `ref` change in one call; with 1,001 it is 422 and nothing changes."""
    entries = [{**CARD, "ref": "many", "receiver_id": 2}] * 500
    for _ in range(2):
        sent = api.ask("POST", "/messages/batch", headers=api.app(), json={"messages": entries})
        assert sent.status_code == 200
    api.deliver()
    assert change(api, "by-ref/many", **DONE).json() == {"updated_count": 1000}
    assert api.read("/messages/unread-count", person=2) == {"total": 1000, "todo": 0}
    send_card(api, ref="many")
    assert change(api, "by-ref/many", state="CLOSED").status_code == 422
    assert len(api.read("/messages/todo", person=2, state="DONE")) == 50


def test_a_change_with_a_key_is_made_once(api: Api) -> None:
    """The same key and body: the first answer again, also when it would be refused now; another body: 422."""
    id = send_card(api)
    api.deliver()
    with_key = api.app() | {"Idempotency-Key": "k"}
    body = {**DONE, "expected_version": 1}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: change(api, id, headers=with_key, **body), range(8)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.text for one in answers}) == 1
    assert sorted(one.headers.get("Idempotency-Replay", "") for one in answers) == [
        "",
        *["true"] * 7,
    ]
    assert change(api, id, headers=with_key, state="CLOSED").json()["code"] == "KEY_REUSED"
    assert change(api, "by-ref/leave-123", headers=with_key, **body).json()["code"] == "KEY_REUSED"
    all_of_it = api.app() | {"Idempotency-Key": "all"}
    for replay in (None, "true"):
        answer = change(api, "by-ref/leave-123", headers=all_of_it, state="CLOSED")
        assert answer.json() == {"updated_count": 1}
        assert answer.headers.get("Idempotency-Replay") == replay
    assert api.read("/messages/todo", person=2, state="CLOSED")[0]["version"] == 3


def test_todos_are_paged(api: Api) -> None:
    """To-dos of all conversations come newest first, a page at a time; a wrong state or limit is 422."""
    ids = [send_card(api, ref=None) for _ in range(5)]
    api.deliver()
    page = api.read("/messages/todo", person=2, limit=3)
    assert [one["id"] for one in page] == ids[:1:-1]
    rest = api.read("/messages/todo", person=2, limit=3, before_id=ids[2])
    assert [one["id"] for one in rest] == [ids[1], ids[0]]
    for wrong in ({"state": "OPEN"}, {"limit": 0}, {"before_id": "x"}):
        answer = api.ask("GET", "/messages/todo", headers=api.person(2), params=wrong)
        assert answer.status_code == 422
    assert api.ask("GET", "/messages/todo", headers=api.app()).status_code == 403
