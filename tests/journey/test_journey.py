"""From a request to everywhere it must be seen, on the whole running stack."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import Engine, delete, text
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ops.local.polling import wait_until
from storage.postgres.broadcasts import expansion, planning
from storage.postgres.tables import users
from tests.builders import add_people
from tests.journey import client_document
from tests.journey.client import PATIENCE, Client
from tests.services import Stack

pytestmark = pytest.mark.timeout(180)

TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$")
PRIVATE = {
    "type": "MESSAGE",
    "content_type": "TEXT",
    "title": "私信",
    "content": "你好,这是一条私信",
}


def test_the_client_documents_sample_works_unchanged(client: Client, oa: str) -> None:
    """The three functions of the client document send what it says, and their answers have the shape it shows."""
    client_document.configure(f"{client.stack.url}/api/v1", "oa_system", oa)
    with client.socket(2048) as socket:
        notification = client_document.send_notification_by_app_user()
        arrived = socket.next_message()
    assert notification["receiver_id"] == 2048
    assert notification["app_name"] == "OA系统"
    assert notification["action_url"] == (
        "/api/v1/simple/sso/jump?app_id=oa_system"
        "&redirect_to=https%3A%2F%2Fbiz.example.com%2Ftodo%2F123"
    )
    assert TIME.match(notification["created_at"])
    assert (arrived["id"], arrived["sender_name"]) == (notification["id"], "系统通知")
    card = client_document.send_user_notification_by_app("lisi_manager", "zhangsan_oa")
    assert (card["sender_id"], card["receiver_id"], card["app_id"]) == (2048, 2049, None)
    assert card["content"] == '{"applyType":"LEAVE","days":2,"businessId":123}'
    reminder = client_document.send_user_notification(client.token(2050))
    assert (reminder["sender_id"], reminder["receiver_id"]) == (2050, 2048)
    assert reminder["action_text"] == "去审批"


def test_a_private_message_reaches_both_people_everywhere(
    client: Client, people: tuple[int, int, int]
) -> None:
    """A message is on both sockets, in both histories and both lists; read on one side, it is so on the other."""
    me, you, _ = people
    with client.socket(me) as mine, client.socket(you) as yours, client.user(me) as i:
        sent = i.post("/messages/", json=PRIVATE | {"receiver_id": you})
        assert sent.status_code == 200
        message = sent.json()
        echo, arrived = mine.next_message(), yours.next_message()
        assert echo["id"] == arrived["id"] == message["id"]
        assert (echo["conversation_id"], arrived["conversation_id"]) == (you, me)
        assert arrived["sender_name"] == "用户私信"
        assert i.get(f"/messages/history/{you}").json() == [message]
        [conversation] = i.get("/messages/conversations").json()
        assert conversation["unread_count"] == 0
        with client.user(you) as they:
            assert they.get(f"/messages/history/{me}").json() == [message]
            [conversation] = they.get("/messages/conversations").json()
            assert (conversation["user_id"], conversation["unread_count"]) == (me, 1)
            assert conversation["last_message"] == PRIVATE["content"]
            assert they.put("/messages/read-all").json() == {"updated_count": 1}
            assert they.get("/messages/unread-count").json() == {"total": 0, "todo": 0}
        [seen] = i.get(f"/messages/history/{you}").json()
        assert seen["is_read"] is True
        assert TIME.match(seen["read_at"])


def test_only_the_senders_devices_are_told_what_their_client_called_a_send(
    client: Client, people: tuple[int, int, int]
) -> None:
    """`client_ref` is in the frame on the sender's socket, live and replayed, and null on the receiver's."""
    me, you, _ = people
    with client.socket(me) as mine, client.socket(you) as yours, client.user(me) as i:
        pos = mine.next()["pos"]
        body = PRIVATE | {"receiver_id": you, "client_ref": "draft-7"}
        i.post("/messages/", json=body).raise_for_status()
        assert mine.next_message()["client_ref"] == "draft-7"
        assert yours.next_message()["client_ref"] is None
    with client.socket(me, since=pos) as again:
        assert again.next_message()["client_ref"] == "draft-7"


def test_a_button_signs_the_person_in(client: Client, oa: str) -> None:
    """The ticket of a notification's button signs its receiver in: once, and at the app that sent it only."""
    with client.app("oa_system", oa) as app, client.user(2049) as person:
        sent = app.post(
            "/messages/",
            headers={"Prefer": "wait=10"},
            json={
                "receiver_id": 2049,
                "type": "NOTIFICATION",
                "title": "审批通知",
                "content": "您有一条待审批任务",
                "auto_sso": True,
                "target_url": "https://biz.example.com/todo/123?a=1&b=2",
                "action_text": "立即处理",
            },
        ).json()
        answer = person.get(f"/messages/{sent['id']}/callback-url").json()
        url = urlsplit(answer["callback_url"])
        assert (url.hostname, url.path) == ("oa.example.com", "/callback")
        query = parse_qs(url.query)
        assert query["next"] == ["https://biz.example.com/todo/123?a=1&b=2"]
        ticket = {"ticket": query["ticket"][0]}
        verified = app.post("/simple/sso/verify", json=ticket)
        assert verified.json() == {
            "user_id": 2049,
            "app_user_id": "lisi_manager",
            "mapped_email": "lisi_manager@corp.com",
            "name": "人2049",
        }
        assert app.post("/simple/sso/verify", json=ticket).status_code == 404
        with client.user(2050) as stranger:
            assert stranger.get(f"/messages/{sent['id']}/callback-url").status_code == 404


def test_a_broadcast_reaches_ten_thousand_people(client: Client, oa: str, record: Engine) -> None:
    """A broadcast is in everyone's history exactly once, connected people get their frame, and the report says DONE."""
    crowd = range(1_000_000, 1_010_000)
    with record.begin() as connection:
        add_people(connection, crowd)
    try:
        with client.app("oa_system", oa) as app, client.socket(1_009_999) as socket:
            sent = app.post(
                "/messages/",
                json={
                    "type": "NOTIFICATION",
                    "is_broadcast": True,
                    "content_type": "TEXT",
                    "title": "系统公告",
                    "content": "这是一条全员通知",
                },
            )
            assert sent.status_code == 200
            message = sent.json()
            assert message["receiver_id"] is None
            assert sent.headers["Location"] == f"/api/v1/broadcasts/{message['id']}"
            assert socket.next_message()["id"] == message["id"]
            report = f"/broadcasts/{message['id']}"
            assert wait_until(
                lambda: app.get(report).json()["status"] == "DONE", seconds=PATIENCE
            ), app.get(report).json()
            done = app.get(report).json()
            assert done["total"] == done["expanded"] >= 10_000
        with client.user(1_005_000) as person:
            [conversation] = person.get("/messages/conversations").json()
            assert conversation["unread_count"] == 1
            assert (conversation["is_system"], conversation["username"]) == (True, "oa_system")
            [got] = person.get(f"/messages/history/{conversation['user_id']}").json()
            assert got["id"] == message["id"]
        with record.begin() as connection:
            count = text("SELECT count(*) FROM deliveries WHERE message_id = :id")
            assert connection.execute(count, {"id": message["id"]}).scalar() == done["total"]
    finally:
        with record.begin() as connection:
            connection.execute(delete(users).where(users.c.id.in_(crowd)))


def test_broadcasts_of_one_app_reach_a_socket_in_the_order_they_were_sent(
    client: Client, oa: str, people: tuple[int, int, int], record: Engine
) -> None:
    """Two broadcasts come in order, though the first one's lane died before publishing it (contract §2, Order)."""
    lanes = client.stack["worker-broadcasts"]
    with client.app("oa_system", oa) as app, client.socket(people[0]) as socket:

        def send() -> int:
            body = {
                "type": "NOTIFICATION",
                "title": "公告",
                "content": "公告",
                "is_broadcast": True,
            }
            answer = app.post("/messages/", json=body | {"audience": {"user_ids": list(people)}})
            assert answer.status_code == 200, answer.text
            id = int(answer.json()["id"])
            assert wait_until(lambda: is_persisted(record, id), seconds=PATIENCE)
            return id

        lanes.freeze()
        try:
            first = send()
            with record.begin() as connection:  # what a lane does, until it dies
                planning.plan_next(connection, planning.PlanLimits(chunk_size=10))
                expanded = expansion.expand_next(connection, lease=timedelta(seconds=2))
            assert expanded is not None and expanded.broadcast_id == first
            second = send()
        finally:
            lanes.thaw()
        assert [socket.next_message()["id"] for _ in range(2)] == [first, second]


def is_persisted(record: Engine, id: int) -> bool:
    """Whether a broadcast is in the record, for the lanes to take."""
    with record.begin() as connection:
        question = text("SELECT EXISTS (SELECT 1 FROM broadcasts WHERE id = :id)")
        return bool(connection.execute(question, {"id": id}).scalar_one())


def test_what_was_sent_before_a_restart_is_read_after_it(
    stack: Stack, client: Client, people: tuple[int, int, int]
) -> None:
    """A message that was sent before the whole stack was stopped is in the history after it was started again."""
    me, you, _ = people
    with client.user(me) as sender:
        sent = sender.post("/messages/", json=PRIVATE | {"receiver_id": you}).json()
    stack.stop()
    stack.start()
    with client.user(you) as receiver:
        assert wait_until(
            lambda: receiver.get(f"/messages/history/{me}").json() == [sent], seconds=PATIENCE
        )


def test_the_stack_answers_for_its_health(stack: Stack, client: Client) -> None:
    """Probes, metrics and documentation are 200 without signing in, and the metrics have the most important names."""
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert httpx.get(stack.url + path, timeout=PATIENCE).status_code == 200, path
    metrics = httpx.get(f"{stack.url}/metrics", timeout=PATIENCE).text
    for name in (
        "carillon_sockets_open",
        "carillon_accepted_waiting",
        "carillon_accepted_oldest_seconds",
        "carillon_failed_sends",
    ):
        assert name in metrics


def test_a_token_of_nobody_opens_no_socket(client: Client, record: Engine) -> None:
    """A valid token whose `sub` is nobody's is 401 at the socket and for a ticket, until there is such a person."""
    nobody = 990_001
    url = f"{client.stack.socket_url}?token={client.token(nobody)}"
    for _ in range(2):
        with pytest.raises(InvalidStatus) as caught, connect(url):
            pass
        assert caught.value.response.status_code == 401
    assert client.user(nobody).post("/ws/tickets").status_code == 401
    with record.begin() as connection:
        add_people(connection, (nobody,))
    assert wait_until(
        lambda: client.user(nobody).post("/ws/tickets").status_code == 200, seconds=20
    )
    with client.socket(nobody) as socket:
        assert socket.next()["type"] == "HELLO"
        socket.connection.send("ping")
        assert socket.connection.recv(timeout=PATIENCE) == "pong"
    with record.begin() as connection:
        connection.execute(delete(users).where(users.c.id == nobody))


def test_scheduled_sends_take_their_place_when_they_become_due(
    client: Client, people: tuple[int, int, int]
) -> None:
    """Scheduled sends come in the order of their acceptance, before what is sent once they are due (contract §2)."""
    me, you, _ = people
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    with client.socket(you) as yours, client.user(me) as i, client.user(you) as they:

        def send(**fields: str) -> int:
            answer = i.post("/messages/", json=PRIVATE | {"receiver_id": you} | fields)
            assert answer.status_code == 200, answer.text
            return int(answer.json()["id"])

        scheduled = [send(send_at=due.isoformat()) for _ in range(10)]
        live = [send()]
        assert wait_until(lambda: datetime.now(UTC) > due, seconds=10)
        live.append(send())
        seen = [yours.next_message()["id"] for _ in range(12)]
        history = they.get(f"/messages/history/{me}", params={"limit": 12}).json()
    expected = [live[0], *scheduled, live[1]]
    assert seen == expected
    assert [message["id"] for message in reversed(history)] == expected
