"""An approval from its send to 已处理 on every open page, on the whole running stack (contract §8)."""

from contextlib import ExitStack

import pytest

from tests.journey.client import Client

pytestmark = pytest.mark.timeout(180)
APPROVAL = {
    "type": "NOTIFICATION",
    "title": "审批通知",
    "content": "李四申请请假两天",
    "ref": "leave-7",
    "state": "PENDING",
    "state_text": "待处理",
}
DONE = {"state": "DONE", "state_text": "已由张三处理"}


def test_one_change_reaches_every_device_of_everyone_who_was_asked(
    client: Client, people: tuple[int, int, int], oa: str
) -> None:
    """Three approvers with two sockets each: one call turns their card 已处理."""
    with ExitStack() as open_, client.app("oa_system", oa) as app:
        sockets = [open_.enter_context(client.socket(one)) for one in people for _ in range(2)]
        for one in people:
            sent = app.post("/messages/", json=APPROVAL | {"receiver_id": one})
            sent.raise_for_status()
        for socket in sockets:
            shown = socket.next_message()
            assert (shown["state"], shown["version"]) == ("PENDING", 1)
        answer = app.patch("/messages/by-ref/leave-7", json=DONE)
        assert answer.json() == {"updated_count": 3}
        for socket in sockets:
            frame = socket.next()
            assert frame["type"] == "MESSAGE_UPDATED"
            shown = frame["data"]
            assert (shown["state"], shown["state_text"], shown["version"]) == (*DONE.values(), 2)
            assert shown["conversation_id"] < 0
        for one in people:
            with client.user(one) as person:
                assert person.get("/messages/unread-count").json() == {"total": 1, "todo": 0}
                [done] = person.get("/messages/todo", params={"state": "DONE"}).json()
                assert done["state_text"] == "已由张三处理"


def test_a_broadcast_card_changes_for_everyone(
    client: Client, people: tuple[int, int, int], oa: str
) -> None:
    """A broadcast with a state is everybody's to-do; after one change of it each of their sockets is told once."""
    audience = {"user_ids": list(people)}
    with ExitStack() as open_, client.app("oa_system", oa) as app:
        sockets = [open_.enter_context(client.socket(one)) for one in people]
        body = APPROVAL | {"is_broadcast": True, "audience": audience, "ref": "all-7"}
        id = app.post("/messages/", json=body).json()["id"]
        for socket in sockets:
            assert socket.next_message()["id"] == id
        app.patch(f"/messages/{id}", json=DONE).raise_for_status()
        for socket in sockets:
            frame = socket.next()
            assert (frame["type"], frame["data"]["id"]) == ("MESSAGE_UPDATED", id)
            assert frame["data"]["version"] == 2
        for one in people:
            with client.user(one) as person:
                assert person.get("/messages/todo").json() == []
