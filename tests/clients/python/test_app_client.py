"""An app's client against a running stack: each claim holds for both shells."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from carillon_client import InvalidError, NotFoundError, NotSignedInError
from ops.local.polling import wait_until
from tests.clients.live_stack import LiveStack
from tests.clients.python.shells import Shell

Person = dict[str, Any]


def test_a_send_arrives_once(app: Any, my: Any, me: Person) -> None:
    """What an app sends is in the receiver's history when `wait` is given; with the same key it is there once."""
    fields = {"receiver_id": me["id"], "title": "审批通知", "content": {"days": 2}}
    first = app.send(**fields, idempotency_key=f"leave-{me['id']}", wait=10)
    again = app.send(**fields, idempotency_key=f"leave-{me['id']}")
    assert first == again
    assert (first.receiver_id, first.type, first.content) == (
        me["id"],
        "NOTIFICATION",
        '{"days":2}',
    )
    assert abs(datetime.now(UTC) - first.created_at) < timedelta(minutes=5)
    assert [one.id for one in my.list_history(-first.app_id)] == [first.id]
    assert app.get_message(first.id).status == "DELIVERED"


def test_an_account_is_the_apps_own(app: Any, me: Person) -> None:
    """`app_user_id` alone names the receiver: the app is the caller."""
    sent = app.send(app_user_id=f"user{me['id']}", title="t", content="c")
    assert sent.receiver_id == me["id"]


def test_a_ticket_is_worth_a_person_once(app: Any, my: Any, me: Person) -> None:
    """A button's ticket is exchanged for the person who pressed it; a second time it is not found."""
    target = "https://oa.example.com/todo/1"
    sent = app.send(
        receiver_id=me["id"], title="t", content="c", auto_sso=True, target_url=target, wait=10
    )
    query = parse_qs(urlsplit(my.get_callback_url(sent.id)).query)
    assert query["next"] == [target]
    person = app.verify_ticket(query["ticket"][0])
    assert (person.user_id, person.app_user_id) == (me["id"], f"user{me['id']}")
    with pytest.raises(NotFoundError, match="UNKNOWN_TICKET"):
        app.verify_ticket(query["ticket"][0])
    for no_ticket in ("", "x" * 500):
        with pytest.raises(NotFoundError):
            app.verify_ticket(no_ticket)
    signed_on = parse_qs(urlsplit(my.sign_on("oa_system")).query)
    assert app.verify_ticket(signed_on["ticket"][0]).user_id == me["id"]


def test_a_batch_of_any_length_is_sent_in_order(app: Any, my: Any, me: Person) -> None:
    """More than one request's worth arrives whole, in order; what is refused is refused alone; a repeat sends nothing."""
    entries: list[dict[str, Any]] = [
        {"receiver_id": me["id"], "title": "t", "content": f"{number}"} for number in range(1003)
    ]
    entries[7] = entries[7] | {"receiver_id": 999_999_999}
    entries[8] = entries[8] | {"title": ""}
    entries[9] = entries[9] | {"content": "half a character: \ud83d"}
    results = app.send_batch(iter(entries), idempotency_key=f"batch-{me['id']}")
    assert [one.index for one in results] == [*range(1003)]
    refused = {one.index: one.error for one in results if one.error}
    assert {place: error.status for place, error in refused.items()} == {7: 404, 8: 422, 9: 422}
    assert refused[8].fields[0].loc[-1] == "title"
    sent = [one.message.id for one in results if one.message]
    app_number = results[0].message.app_id
    assert wait_until(lambda: my.count_unread() == 1000, seconds=60)
    assert [one.id for one in my.list_history(-app_number)] == sent[::-1]
    again = app.send_batch(iter(entries), idempotency_key=f"batch-{me['id']}")
    assert [one.message.id for one in again if one.message] == sent
    assert my.count_unread() == 1000


def test_a_broadcast_is_followed_to_its_end(app: Any, my: Any, me: Person, you: Person) -> None:
    """Reports come until it has come to rest; who has not read it is listed; taken back it is gone."""
    sent = app.broadcast(
        title="系统公告", content="今晚维护", user_ids=[me["id"], you["id"]], app_user_ids=None
    )
    reports = list(app.follow_broadcast(sent.id, every=0.05))
    assert [one.is_finished for one in reports[:-1]] == [False] * (len(reports) - 1)
    assert (reports[-1].status, reports[-1].expanded, reports[-1].total) == ("DONE", 2, 2)
    my.mark_read(-sent.app_id)
    unread = {one.user_id for one in app.list_unread(sent.id)}
    assert unread == {you["id"]}
    assert app.list_broadcasts(limit=1)[0].id == sent.id
    app.recall(sent.id)
    assert [*app.follow_broadcast(sent.id, every=0.05)][-1].status == "RECALLED"


def test_a_broadcast_is_previewed(app: Any, me: Person, you: Person) -> None:
    """A preview says for how many people a broadcast would be and whom nobody knows, and nothing is sent."""
    before = app.list_broadcasts(limit=1)
    names = [f"user{me['id']}", "nobody"]
    preview = app.preview_broadcast(title="t", content="c", app_user_ids=names)
    assert (preview.total, preview.unresolved) == (1, ["nobody"])
    assert app.preview_broadcast(title="t", content="c").total >= 2
    assert [one.id for one in app.list_broadcasts(limit=1)] == [one.id for one in before]


def test_a_scheduled_broadcast_is_cancelled(app: Any, me: Person) -> None:
    """What has not begun can be stopped, and then never begins."""
    later = datetime.now(UTC) + timedelta(days=1)
    sent = app.broadcast(title="t", content="c", app_user_ids=[f"user{me['id']}"], send_at=later)
    assert app.get_broadcast(sent.id).status == "SCHEDULED"
    assert app.cancel_broadcast(sent.id).status == "CANCELLED"


def test_an_instant_without_a_zone_is_refused_here(app: Any, me: Person) -> None:
    """A `send_at` that could mean another hour elsewhere is refused before anything is sent."""
    with pytest.raises(ValueError, match="time zone"):
        app.send(receiver_id=me["id"], title="t", content="c", send_at=datetime(2030, 1, 1))  # noqa: DTZ001


def test_a_file_is_uploaded_and_sent(app: Any, my: Any, me: Person, url: str) -> None:
    """An uploaded file is sent by its key, and its receiver fetches it by its name."""
    file = app.upload(b"%PDF-1.7", filename="请假单.pdf")
    assert file.content_type == "FILE"
    fields = {"content": file.key, "content_type": file.content_type}
    app.send(receiver_id=me["id"], title="t", **fields, wait=10)
    [got] = my.list_history(next(iter(my.list_conversations())).user_id)
    assert got.filename == "请假单.pdf"
    assert httpx.get(httpx.URL(url).join(got.content)).content == b"%PDF-1.7"


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_of_the_signature_are_taken(
    live: LiveStack, shell: Shell, me: Person, version: int
) -> None:
    """Requests with and without a body and a query are signed so that the server takes them; a wrong secret is refused."""
    about = live.about["app"]
    app = shell.app(live.about["url"], about["app_id"], about["secret"], signature_version=version)
    sent = app.send(receiver_id=me["id"], title="t", content="你好")
    assert app.get_message(sent.id).content == "你好"
    app.list_broadcasts(limit=3, status="DONE")
    wrong = shell.app(live.about["url"], about["app_id"], "wrong", signature_version=version)
    with pytest.raises(NotSignedInError):
        wrong.get_message(sent.id)


def test_any_call_can_be_made(app: Any, me: Person) -> None:
    """A call that has no method is made by its path; what is wrong in it is named."""
    body = {"type": "NOTIFICATION", "receiver_id": me["id"], "title": "t", "content": "c"}
    sent = app.request(
        "POST", "/messages/", json=body, headers={"Idempotency-Key": f"raw-{me['id']}"}
    )
    assert app.request("GET", f"/messages/{sent['id']}")["title"] == "t"
    with pytest.raises(InvalidError, match="limit"):
        app.request("GET", "/broadcasts", query={"limit": 1000})
    with pytest.raises(ValueError, match="slash"):
        app.request("GET", "messages")
