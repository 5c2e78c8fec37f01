"""Every rule of contract §2, with its status, through a real server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ingest.api_server import Api

pytestmark = pytest.mark.pure

PERSON, OA, CRM = "person 1", "app oa", "app crm"
BUTTON = {"auto_sso": True, "target_url": "https://oa.example.com/todo/123"}
NOTICE: dict[str, Any] = {"type": "NOTIFICATION", "receiver_id": 2}
TO_ALL: dict[str, Any] = {"type": "NOTIFICATION", "is_broadcast": True}
CARD: dict[str, Any] = {"content_type": "USER_NOTIFICATION", "receiver_id": 2}

# (what the row says, who calls, what is changed in a private message, the status)
ROWS: list[tuple[str, str, dict[str, Any], int]] = [
    ("a person sends a message", PERSON, {"receiver_id": 2}, 200),
    ("a person sends to themselves", PERSON, {"receiver_id": 1}, 200),
    ("a person may not notify", PERSON, NOTICE, 403),
    ("a person may not broadcast", PERSON, TO_ALL, 403),
    ("a person may not broadcast a message", PERSON, {"is_broadcast": True}, 403),
    ("an app sends a message", OA, {"receiver_id": 2}, 200),
    ("an app notifies", OA, NOTICE, 200),
    ("an app broadcasts", OA, TO_ALL, 200),
    ("type is required", PERSON, {"type": None, "receiver_id": 2}, 422),
    ("type is one of two", PERSON, {"type": "message", "receiver_id": 2}, 422),
    ("title is required", PERSON, {"title": None, "receiver_id": 2}, 422),
    ("a title has a character", PERSON, {"title": "", "receiver_id": 2}, 422),
    ("a title has 255 characters", PERSON, {"title": "字" * 255, "receiver_id": 2}, 200),
    ("a title has no more", PERSON, {"title": "字" * 256, "receiver_id": 2}, 422),
    ("content is required", PERSON, {"content": None, "receiver_id": 2}, 422),
    ("content may be an object", PERSON, {"content": {"天": 2}, "receiver_id": 2}, 200),
    ("content is no list", PERSON, {"content": [1], "receiver_id": 2}, 422),
    ("content is no number", PERSON, {"content": 1, "receiver_id": 2}, 422),
    ("content of 64 KiB", PERSON, {"content": "x" * 65536, "receiver_id": 2}, 200),
    ("content over 64 KiB", PERSON, {"content": "x" * 65537, "receiver_id": 2}, 413),
    ("content is measured in bytes", PERSON, {"content": "字" * 21846, "receiver_id": 2}, 413),
    ("an object is measured as text", PERSON, {"content": {"a": "x" * 65536}, "receiver_id": 2}, 413),
    ("a content type is one of five", PERSON, {"content_type": "AUDIO", "receiver_id": 2}, 422),
    ("a card goes with a message", PERSON, CARD, 200),
    ("a card does not go with a notification", OA, CARD | {"type": "NOTIFICATION"}, 422),
    ("a client's name has 64 characters", PERSON, {"receiver_id": 2, "client_ref": "字" * 64}, 200),
    ("a client's name has no more", PERSON, {"receiver_id": 2, "client_ref": "字" * 65}, 422),
    ("a client's name is text", PERSON, {"receiver_id": 2, "client_ref": 7}, 422),
    ("a receiver is named", PERSON, {}, 422),
    ("an unknown receiver", PERSON, {"receiver_id": 404}, 404),
    ("a disabled receiver", PERSON, {"receiver_id": 8}, 404),
    ("a deleted receiver", PERSON, {"receiver_id": 9}, 404),
    ("a receiver below one", PERSON, {"receiver_id": -1}, 404),
    ("the largest number", PERSON, {"receiver_id": 2**63 - 1}, 404),
    ("a receiver is a number", PERSON, {"receiver_id": "2"}, 422),
    ("a receiver is no truth", PERSON, {"receiver_id": True}, 422),
    ("an account names the receiver", OA, {"app_id": "oa", "app_user_id": "lisi"}, 200),
    ("a person may name an account", PERSON, {"app_id": "oa", "app_user_id": "lisi"}, 200),
    ("an unknown account", OA, {"app_id": "oa", "app_user_id": "nobody"}, 404),
    ("an account of another app", OA, {"app_id": "oa", "app_user_id": "li.si"}, 404),
    ("the account of a disabled person", OA, {"app_id": "oa", "app_user_id": "gone"}, 404),
    ("the account of nobody", OA, {"app_id": "oa", "app_user_id": "ghost"}, 404),
    ("an account needs its app", OA, {"app_user_id": "lisi"}, 422),
    ("an app alone is no receiver", OA, {"app_id": "oa"}, 422),
    ("two ways are too many", OA, {"receiver_id": 2, "app_id": "oa", "app_user_id": "lisi"}, 422),
    ("a receiver and the button's app", OA, {"receiver_id": 2, "app_id": "oa"}, 200),
    ("another app's id", OA, {"receiver_id": 2, "app_id": "crm"}, 403),
    ("another app's account", OA, {"app_id": "crm", "app_user_id": "li.si"}, 403),
    ("an unknown app's id on an app call", OA, {"receiver_id": 2, "app_id": "none"}, 403),
    ("a person names an unknown app", PERSON, {"receiver_id": 2, "app_id": "none"}, 404),
    ("a person names a closed app", PERSON, {"receiver_id": 2, "app_id": "closed"}, 404),
    ("on behalf of an account", OA, NOTICE | {"sender_app_user_id": "zhangsan"}, 200),
    ("on behalf of nobody", OA, NOTICE | {"sender_app_user_id": "nobody"}, 404),
    ("on behalf of another app's", OA, NOTICE | {"sender_app_user_id": "li.si"}, 404),
    ("a person's is ignored", PERSON, {"receiver_id": 2, "sender_app_user_id": "nobody"}, 200),
    ("a broadcast is a notification", OA, {"is_broadcast": True}, 422),
    ("a broadcast names no receiver", OA, TO_ALL | {"receiver_id": 2}, 422),
    ("a broadcast names no account", OA, TO_ALL | {"app_id": "oa", "app_user_id": "lisi"}, 422),
    ("a broadcast may name its app", OA, TO_ALL | {"app_id": "oa"}, 200),
    ("a broadcast may have a button", OA, TO_ALL | BUTTON, 200),
    ("a button on a notification", OA, NOTICE | BUTTON, 200),
    ("a button on a card", OA, CARD | BUTTON, 200),
    ("a person's card with a button", PERSON, CARD | BUTTON | {"app_id": "oa"}, 200),
    ("a person's button needs an app", PERSON, CARD | BUTTON, 422),
    ("no automatic button on a text", OA, {"receiver_id": 2} | BUTTON, 422),
    ("a button needs a target", OA, NOTICE | {"auto_sso": True}, 422),
    ("a target alone is ignored", OA, NOTICE | {"target_url": "https://evil.example.org/"}, 200),
    ("a registered host", OA, NOTICE | BUTTON | {"target_url": "https://a.biz.example.com/"}, 200),
    ("a host of nobody", OA, NOTICE | BUTTON | {"target_url": "https://evil.example.org/"}, 422),
    ("a host of another app", CRM, NOTICE | BUTTON | {"target_url": "https://a.biz.example.com/"}, 422),
    ("a relative target", OA, NOTICE | BUTTON | {"target_url": "/todo/123"}, 422),
    ("a button of one's own", PERSON, {"receiver_id": 2, "action_url": "https://a.example/"}, 200),
    ("a jump link of one's own", OA, NOTICE | {"action_url": "/api/v1/simple/sso/jump?app_id=oa&redirect_to=https%3A%2F%2Foa.example.com"}, 200),
    ("a script is no button", PERSON, {"receiver_id": 2, "action_url": "javascript:alert(1)"}, 422),
    ("a path is no button", PERSON, {"receiver_id": 2, "action_url": "/api/v1/users/"}, 422),
    ("one's own button wins", OA, NOTICE | {"auto_sso": True, "action_url": "https://a.example/"}, 200),
    ("media is a key of the caller's", PERSON, {"receiver_id": 2, "content_type": "IMAGE", "content": "k"}, 403),
    ("older media is a URL", PERSON, {"receiver_id": 2, "content_type": "IMAGE", "content": "https://a.example/1.png"}, 200),
    ("media only begins like a URL", PERSON, {"receiver_id": 2, "content_type": "IMAGE", "content": 'https://"onerror=alert(1)'}, 422),
    ("an app's media only begins like a URL", OA, {"receiver_id": 2, "content_type": "FILE", "content": "http://a b"}, 422),
    ("a text may say anything", PERSON, {"receiver_id": 2, "content": 'https://"onerror=alert(1)'}, 200),
    ("a time long past is a mistake", OA, NOTICE | {"send_at": "2026-01-01T00:00:00Z"}, 422),
    ("a time before all zones", OA, NOTICE | {"send_at": "0001-01-01T00:00:00+23:59"}, 422),
    ("a time after all zones", OA, NOTICE | {"send_at": "9999-12-31T23:59:59-23:59"}, 422),
    ("a time needs an offset", OA, NOTICE | {"send_at": "2030-01-01T00:00:00"}, 422),
    ("a time is within 90 days", OA, NOTICE | {"send_at": "2099-01-01T00:00:00+08:00"}, 422),
    ("a time is a time", OA, NOTICE | {"send_at": "tomorrow"}, 422),
    ("unknown fields are ignored", PERSON, {"receiver_id": 2, "colour": "red"}, 200),
    ("who may comes before what is wrong", PERSON, {"type": "NOTIFICATION"}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("says", "who", "changes", "status"), ROWS, ids=[row[0] for row in ROWS])
def test_rule(shared_api: Api, says: str, who: str, changes: dict[str, Any], status: int) -> None:
    """A request of the table gets the status of its row, and a refusal has a `detail` of the contract's shape."""
    kind, name = who.split()
    headers = shared_api.person(int(name)) if kind == "person" else shared_api.app(name)
    body = {"type": "MESSAGE", "title": "私信", "content": "你好"} | changes
    given = {field: value for field, value in body.items() if value is not None}
    answer = shared_api.ask("POST", "/messages/", headers=headers, json=given)
    assert answer.status_code == status, (says, answer.text)
    assert ("detail" in answer.json()) == (status != 200)
    if status == 422:
        assert all({"loc", "msg", "type"} == set(problem) for problem in answer.json()["detail"])


def test_a_private_message_answers_as_in_the_client_document(shared_api: Api) -> None:
    """A private message's answer has the document's fields in its order; no app, and not read."""
    answer = shared_api.send(shared_api.person(1), receiver_id=2, content="你好,这是一条私信")
    shown = answer.json()
    assert list(shown) == [
        "id", "sender_id", "receiver_id", "app_id", "app_name", "type", "content_type", "title",
        "content", "filename", "action_url", "action_text", "is_read", "created_at",
        "created_at_ms", "read_at", "read_at_ms", "client_ref",
        "state", "state_text", "ref", "version",
    ]  # fmt: skip
    assert (shown["sender_id"], shown["receiver_id"]) == (1, 2)
    assert shown["content"] == "你好,这是一条私信"
    assert shown["app_id"] is shown["app_name"] is shown["read_at"] is shown["action_url"] is None
    assert shown["is_read"] is False
    assert 0 < shown["id"] < 2**53
    assert len(shown["created_at"]) == len("2026-03-18T09:59:00")
    second = datetime.fromisoformat(f"{shown['created_at']}+00:00").timestamp()
    assert shown["created_at_ms"] // 1000 == second
    assert shown["read_at_ms"] is None


def test_a_notification_has_the_app_and_a_jump_link(shared_api: Api) -> None:
    """A notification's `app_id` is the app's integer id, its `action_url` exactly that of contract §2."""
    headers = shared_api.app("oa")
    target = "https://oa.example.com/todo/123"
    answer = shared_api.send(headers, **NOTICE, auto_sso=True, target_url=target, action_text="去")
    shown = answer.json()
    assert (shown["app_id"], shown["app_name"], shown["sender_id"]) == (7, "OA系统", None)
    assert shown["action_url"] == (
        "/api/v1/simple/sso/jump?app_id=oa&redirect_to=https%3A%2F%2Foa.example.com%2Ftodo%2F123"
    )


def test_a_card_on_behalf_of_someone_is_between_two_people(shared_api: Api) -> None:
    """A card that an app sends for an account is from that person; the app shows in the button only."""
    answer = shared_api.send(
        shared_api.app("oa"),
        **(CARD | BUTTON),
        sender_app_user_id="zhangsan",
    )
    shown = answer.json()
    assert (shown["sender_id"], shown["app_id"], shown["app_name"]) == (3, None, None)
    assert "app_id=oa" in shown["action_url"]


def test_an_object_is_stored_as_compact_text_in_the_callers_order(shared_api: Api) -> None:
    """An object as content is stored without spaces or ASCII escapes, its keys in the caller's order."""
    answer = shared_api.send(
        shared_api.person(1), receiver_id=2, content={"乙": 1, "a": {"z": [1.5, None, True]}}
    )
    assert answer.json()["content"] == '{"乙":1,"a":{"z":[1.5,null,true]}}'


def test_a_broadcast_says_where_its_progress_is(shared_api: Api) -> None:
    """A broadcast's answer has no receiver, and a Location that the app can ask."""
    answer = shared_api.send(shared_api.app("oa"), **TO_ALL)
    shown = answer.json()
    assert shown["receiver_id"] is None
    assert answer.headers["Location"] == f"/api/v1/broadcasts/{shown['id']}"
    report = shared_api.client.get(answer.headers["Location"], headers=shared_api.app("oa"))
    assert report.json()["status"] == "PENDING"


def test_ones_own_button_is_kept_as_it_is(shared_api: Api) -> None:
    """An `action_url` of the sender's own wins over `auto_sso`."""
    url = "https://a.example/x?y=z#w"
    answer = shared_api.send(shared_api.app("oa"), **(NOTICE | BUTTON), action_url=url)
    assert answer.json()["action_url"] == url


def test_a_time_just_past_is_now(shared_api: Api) -> None:
    """A `send_at` less than a minute ago is now: a clock may be behind, a request late (contract §2)."""
    just_past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert shared_api.send(shared_api.app(), **NOTICE, send_at=just_past).status_code == 200


def test_a_refused_target_names_the_hosts_to_the_app_alone(shared_api: Api) -> None:
    """An app reads which hosts it has and how one is added; a person learns only that this host is none of them."""
    body = NOTICE | BUTTON | {"target_url": "https://evil.example.org/"}
    of_app = shared_api.send(shared_api.app("oa"), **body)
    card = {
        "type": "MESSAGE",
        "content_type": "USER_NOTIFICATION",
        "receiver_id": 2,
        "app_id": "oa",
    }
    of_person = shared_api.send(
        shared_api.person(1), **BUTTON | card | {"target_url": "https://evil.example.org/"}
    )
    assert of_app.json()["code"] == of_person.json()["code"] == "HOST_NOT_ALLOWED"
    told = of_app.json()["detail"][0]["msg"]
    assert "oa.example.com, *.biz.example.com" in told
    assert "carillon app update oa --add-host HOST" in told
    assert of_person.json()["detail"][0]["msg"] == "The app allows no button to this host."


def test_a_target_that_is_no_url_is_not_a_matter_of_hosts(shared_api: Api) -> None:
    """A relative target is malformed: VALIDATION, and no host would help."""
    answer = shared_api.send(shared_api.app("oa"), **NOTICE | BUTTON | {"target_url": "/todo"})
    assert answer.json()["code"] == "VALIDATION"


def test_a_time_long_past_has_a_code_of_its_own(shared_api: Api) -> None:
    """A `send_at` of two minutes ago is SEND_AT_PAST; one of half a minute ago is sent at once."""
    now = datetime.now(UTC)
    late = shared_api.send(
        shared_api.person(1), receiver_id=2, send_at=(now - timedelta(minutes=2)).isoformat()
    )
    assert (late.status_code, late.json()["code"]) == (422, "SEND_AT_PAST")
    just = (now - timedelta(seconds=30)).isoformat()
    assert shared_api.send(shared_api.person(1), receiver_id=2, send_at=just).status_code == 200
