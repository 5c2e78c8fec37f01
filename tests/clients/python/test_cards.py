"""Cards that change, against a running stack: each claim holds for both shells (contract §8)."""

from collections.abc import Callable
from typing import Any

import pytest

from carillon_client import MessageUpdated, NewMessage, NotFoundError, RefusedError
from ops.local.polling import wait_until
from tests.clients.live_stack import LiveStack
from tests.clients.python.shells import Shell

PATIENCE = 40.0
Person = dict[str, Any]
# What an app may call a matter: as one piece of a path, whatever is in it.
STRANGE_REFS = ["请假/123?x=1#2 %2F", ".", "..", "a/../b"]


def send_card(app: Any, receiver: Person, ref: str, **fields: Any) -> Any:
    """A to-do of a person's, in their history."""
    card = {"title": "审批通知", "content": "李四申请请假两天", "state": "PENDING"} | fields
    return app.send(receiver_id=receiver["id"], ref=ref, wait=10, **card)


def test_a_card_changes_before_the_eyes_of_its_receiver(app: Any, your: Any, you: Person) -> None:
    """What an app changes of a card comes to the receiver's socket as its new form, and only that stands in the history."""
    button = {"action_url": "https://oa.example.com/todo/1", "action_text": "去审批"}
    with your.socket() as socket:
        sent = send_card(app, you, "leave-1", **button)
        new = _take(socket, NewMessage).message
        assert (new.version, new.state, new.state_text, new.ref) == (1, "PENDING", None, "leave-1")
        changed = app.change_message(
            sent.id, state="DONE", state_text="已由张三处理", action_url=None, action_text=None
        )
        pushed = _take(socket, MessageUpdated).message
    for form in (changed, pushed, app.get_message(sent.id), *your.list_history(-sent.app_id)):
        assert (form.id, form.version, form.ref) == (sent.id, 2, "leave-1")
        assert (form.state, form.state_text) == ("DONE", "已由张三处理")
        assert (form.action_url, form.action_text, form.content) == (None, None, sent.content)


def test_a_change_is_made_once_under_its_key(app: Any, me: Person) -> None:
    """With the same key the first answer comes again; without one, each call is a change of its own."""
    card = send_card(app, me, "leave-2")
    first = app.change_message(card.id, title="a", idempotency_key=f"archive-{card.id}")
    assert app.change_message(card.id, title="a", idempotency_key=f"archive-{card.id}") == first
    assert (first.version, app.change_message(card.id, title="a").version) == (2, 3)


def test_a_change_of_another_version_is_refused(app: Any, me: Person) -> None:
    """`expected_version` that is not the present one is an error which says so, and nothing is changed."""
    card = send_card(app, me, "leave-3")
    assert app.change_message(card.id, state="DONE", expected_version=card.version).version == 2
    with pytest.raises(RefusedError) as caught:
        app.change_message(card.id, state="REJECTED", expected_version=card.version)
    assert (caught.value.status, caught.value.code) == (409, "VERSION_CHANGED")
    assert app.get_message(card.id).state == "DONE"


def test_all_cards_of_a_matter_change_together(
    app: Any, my: Any, your: Any, me: Person, you: Person
) -> None:
    """A change by `ref` reaches every approver's card, and takes it from the to-dos of each."""
    ref = f"leave-{me['id']}"
    cards = [send_card(app, person, ref) for person in (me, you)]
    assert [my.count_todos(), your.count_todos()] == [1, 1]
    assert [one.id for one in my.list_todos()] == [cards[0].id]
    assert app.change_by_ref(ref, state="CLOSED", idempotency_key=ref) == 2
    assert app.change_by_ref(ref, state="CLOSED", idempotency_key=ref) == 2
    assert [my.count_todos(), your.count_todos()] == [0, 0]
    assert [one.version for one in your.list_todos(state="CLOSED")] == [2]
    with pytest.raises(NotFoundError, match="UNKNOWN_REF"):
        app.change_by_ref(ref + "?", state="DONE")


@pytest.mark.parametrize("version", [1, 2])
def test_a_matter_may_have_any_name(
    live: LiveStack, shell: Shell, me: Person, version: int
) -> None:
    """Slashes, question marks and dots in a `ref` arrive as they are, and are signed as they are sent."""
    about = live.about
    app = shell.app(
        about["url"], about["app"]["app_id"], about["app"]["secret"], signature_version=version
    )
    for ref in STRANGE_REFS:
        own = f"{ref}{me['id']}" if len(ref) > 2 else ref
        card = send_card(app, me, own)
        assert app.change_by_ref(own, state="DONE") >= 1
        assert app.get_message(card.id).state == "DONE"


def test_cards_go_out_by_every_way(app: Any, my: Any, me: Person) -> None:
    """`ref`, `state` and `state_text` of a batch's entry and of a broadcast make cards too."""
    fields = {
        "title": "t",
        "content": "c",
        "ref": "survey",
        "state": "PENDING",
        "state_text": "待办",
    }
    [entry] = app.send_batch([{"receiver_id": me["id"], **fields}])
    notice = app.broadcast(user_ids=[me["id"]], **fields)
    for sent in (entry.message, notice):
        assert (sent.ref, sent.state, sent.state_text) == ("survey", "PENDING", "待办")
    _wait_for(lambda: my.count_todos() == 2)
    assert app.change_message(notice.id, state="DONE").version == 2
    _wait_for(lambda: [one.id for one in my.list_todos()] == [entry.message.id])
    _wait_for(lambda: [one.id for one in my.list_todos(state="DONE")] == [notice.id])


def test_long_lists_of_todos_come_whole(app: Any, my: Any, me: Person) -> None:
    """To-dos of several pages are given once each, newest first, from where they are asked for."""
    entry = {"receiver_id": me["id"], "title": "t", "content": "c", "state": "PENDING"}
    sent = [one.message.id for one in app.send_batch([entry] * 205)]
    _wait_for(lambda: my.count_todos() == 205)
    assert [one.id for one in my.list_todos()] == sent[::-1]
    assert [one.id for one in my.list_todos(before_id=sent[2])] == [sent[1], sent[0]]


def _take(socket: Any, kind: type) -> Any:
    """The next event, which is of this kind."""
    event = socket.receive(timeout=PATIENCE)
    assert isinstance(event, kind), event
    return event


def _wait_for(condition: Callable[[], bool]) -> None:
    assert wait_until(condition, seconds=60)
