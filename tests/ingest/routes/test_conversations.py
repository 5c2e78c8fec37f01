"""Lists, histories and marks (contract §4), over what was really delivered."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.model.event import AllRead, ConversationRead
from storage.postgres import outbox
from storage.postgres.messages import persistence
from storage.postgres.sends import failed_sends
from storage.postgres.sends.withdrawals import withdraw
from tests.ingest.running import Api


def history(api: Api, reader: int, peer: int, **params: int) -> list[int]:
    """The ids of a page."""
    answer = api.ask("GET", f"/messages/history/{peer}", headers=api.person(reader), params=params)
    assert answer.status_code == 200, answer.text
    return [message["id"] for message in answer.json()]


def test_a_private_message_is_in_both_histories_and_lists(api: Api) -> None:
    """Unread for the receiver, read for the sender; names as in the client document."""
    first = api.sent(api.person(1), receiver_id=2)
    second = api.sent(api.person(2), receiver_id=1, content="好" * 300)
    api.deliver()
    assert history(api, 1, 2) == history(api, 2, 1) == [second, first]
    [line] = api.ask("GET", "/messages/conversations", headers=api.person(1)).json()
    updated_at = line.pop("updated_at")
    assert len(updated_at) == 19
    assert line == {
        "user_id": 2,
        "username": "13800000002",
        "full_name": "人2",
        "unread_count": 1,
        "last_message": "好" * 200,
        "last_message_type": "TEXT",
        "is_system": False,
        "app_id": None,
        "app_name": None,
    }
    assert list(api.ask("GET", "/messages/conversations", headers=api.person(1)).json()[0]) == [
        "user_id", "username", "full_name", "unread_count", "last_message", "last_message_type",
        "updated_at", "is_system", "app_id", "app_name",
    ]  # fmt: skip


def test_an_app_s_notifications_are_a_conversation_of_their_own(api: Api) -> None:
    """`-app.id`, named by the app; an image shows as [IMAGE]."""
    notice = {"type": "NOTIFICATION", "receiver_id": 2, "content_type": "IMAGE"}
    api.sent(api.app("oa"), **notice, content="https://a.example/1.png")
    api.deliver()
    [line] = api.ask("GET", "/messages/conversations", headers=api.person(2)).json()
    assert (line["user_id"], line["username"], line["full_name"]) == (-7, "oa", "OA系统")
    assert (line["app_id"], line["app_name"], line["is_system"]) == (7, "OA系统", True)
    assert (line["last_message"], line["last_message_type"]) == ("[IMAGE]", "IMAGE")
    assert len(history(api, 2, -7)) == 1


def test_imported_notifications_are_the_system_s(api: Api, engine: Engine) -> None:
    """Conversation 0, `system`, `系统通知`."""
    with engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO messages (id, receiver_id, type, content_type, title, content)
            VALUES (message_id_floor(now()), 2, 'NOTIFICATION', 'TEXT', 't', '旧');
            INSERT INTO deliveries (user_id, peer_id, message_id)
            VALUES (2, 0, (SELECT max(id) FROM messages));
            INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)
            VALUES (2, 0, 1, (SELECT max(id) FROM messages), now())""")
        )
    [line] = api.ask("GET", "/messages/conversations", headers=api.person(2)).json()
    assert (line["user_id"], line["username"], line["full_name"]) == (0, "system", "系统通知")
    assert (line["is_system"], line["app_id"], line["app_name"]) == (True, None, None)
    assert len(history(api, 2, 0)) == 1


def test_a_history_pages_by_skip_and_by_key(api: Api) -> None:
    """Newest first, nothing twice, nothing left out."""
    ids = [api.sent(api.person(1), receiver_id=2) for _ in range(7)][::-1]
    api.deliver()
    assert history(api, 2, 1) == ids
    assert history(api, 2, 1, limit=3) + history(api, 2, 1, skip=3, limit=100) == ids
    assert history(api, 2, 1, before_id=ids[2], limit=2) == ids[3:5]
    assert history(api, 2, 3) == []


def test_reading_one_conversation_leaves_the_others(api: Api) -> None:
    """Up to an id, then all of it; the sender learns when."""
    ids = [api.sent(api.person(1), receiver_id=2) for _ in range(3)]
    api.sent(api.person(3), receiver_id=2)
    api.deliver()
    headers = api.person(2)
    assert api.ask("GET", "/messages/unread-count", headers=headers).json() == {"total": 4}
    path = "/messages/conversations/1/read"
    assert api.ask("PUT", path, headers=headers, json={"up_to_id": ids[1]}).json() == {
        "updated_count": 2
    }
    assert api.ask("PUT", path, headers=headers).json() == {"updated_count": 1}
    assert api.ask("PUT", path, headers=headers, json={}).json() == {"updated_count": 0}
    assert api.ask("GET", "/messages/unread-count", headers=headers).json() == {"total": 1}
    answer = api.ask("GET", "/messages/history/2", headers=api.person(1)).json()
    assert all(message["is_read"] and len(message["read_at"]) == 19 for message in answer)


def test_reading_everything_is_deprecated_and_works(api: Api) -> None:
    """The count, and where to go instead."""
    for sender in (1, 3, 3):
        api.sent(api.person(sender), receiver_id=2)
    api.deliver()
    answer = api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert answer.json() == {"updated_count": 3}
    assert answer.headers["Deprecation"]
    assert 'rel="successor-version"' in answer.headers["Link"]
    again = api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert again.json() == {"updated_count": 0}


def test_reading_is_told_to_the_other_devices(api: Api) -> None:
    """One CONVERSATION_READ is in the outbox, and none where nothing changed."""
    message_id = api.sent(api.person(1), receiver_id=2)
    api.deliver()
    api.ask("PUT", "/messages/conversations/1/read", headers=api.person(2))
    api.ask("PUT", "/messages/conversations/1/read", headers=api.person(2))
    assert outbox_of(api) == [ConversationRead(2, 1, message_id, 0)]


def test_reading_everything_is_told_once(api: Api) -> None:
    """One ALL_READ, however many conversations it was, and none where nothing changed (contract §4)."""
    ids = [api.sent(api.person(sender), receiver_id=2) for sender in (1, 3, 3)]
    api.deliver()
    for _ in range(2):
        api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert outbox_of(api) == [AllRead(2, max(ids), 0)]


def test_what_a_newer_version_wrote_is_shown_as_it_is_written(api: Api) -> None:
    """After a roll-back a type that nobody knows makes no list, page, message or retry an error."""
    key = {**api.app("oa"), "Idempotency-Key": "once"}
    notice = {"type": "NOTIFICATION", "receiver_id": 2}
    id = api.sent(key, **notice)
    with api.engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET type = 'TELEGRAM', content_type = 'MORSE'"))
        connection.execute(
            text(
                "UPDATE idempotency_keys SET send = send"
                """ || '{"type": "TELEGRAM", "content_type": "MORSE"}'"""
            )
        )
    api.deliver()
    person = api.person(2)
    [page] = api.ask("GET", f"/messages/history/-{app_number(api)}", headers=person).json()
    shown = api.ask("GET", f"/messages/{id}", headers=person).json()
    for message in (page, shown, api.send(key, **notice).json()):
        assert (message["id"], message["type"], message["content_type"]) == (
            id,
            "TELEGRAM",
            "MORSE",
        )
    [line] = api.ask("GET", "/messages/conversations", headers=person).json()
    assert (line["last_message"], line["last_message_type"]) == ("[MORSE]", "MORSE")


def app_number(api: Api) -> int:
    """The integer id of the app oa."""
    with api.engine.begin() as connection:
        query = "SELECT id FROM apps WHERE app_id = 'oa'"
        return int(connection.execute(text(query)).scalar_one())


def outbox_of(api: Api) -> list[object]:
    """The events that wait to be published."""
    with api.engine.begin() as connection:
        return [notice.event for notice in outbox.list_waiting(connection, 100)]


def test_status_follows_the_message(api: Api) -> None:
    """ACCEPTED, then DELIVERED; a scheduled one SCHEDULED."""
    message_id = api.sent(api.person(1), receiver_id=2)
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
    """Preference-Applied says that it is there."""
    stop = Event()

    def work() -> None:
        while not stop.wait(0.05):
            api.deliver()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        answer = api.send({**api.person(1), "Prefer": "wait=10"}, receiver_id=2)
        stop.set()
    assert answer.headers["Preference-Applied"] == "wait=10"
    assert answer.json()["id"] in history(api, 2, 1)


@pytest.mark.parametrize("is_broadcast", [False, True])
def test_a_wait_for_what_fails_or_is_taken_back_does_not_say_applied(
    api: Api, *, is_broadcast: bool
) -> None:
    """It ends as soon as that is known, and without Preference-Applied: the histories have nothing."""
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


def seen(api: Api, headers: dict[str, str], id: int) -> Any:
    """The status that `GET /messages/{id}` shows, or the answer's if it shows none."""
    answer = api.ask("GET", f"/messages/{id}", headers=headers)
    return answer.json()["status"] if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize("kind", ["private", "notification"])
def test_a_receiver_sees_a_message_while_it_is_in_their_history(api: Api, kind: str) -> None:
    """Not a scheduled one, not one on its way or failed, and not once it is recalled (contract §2)."""
    sender, body = (
        (api.person(1), {}) if kind == "private" else (api.app("oa"), {"type": "NOTIFICATION"})
    )
    receiver, stranger = api.person(2), api.person(3)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = api.sent(sender, receiver_id=2, send_at=later, **body)
    waiting = api.sent(sender, receiver_id=2, **body)
    assert [seen(api, sender, id) for id in (scheduled, waiting)] == ["SCHEDULED", "ACCEPTED"]
    for id in (scheduled, waiting):
        for other in (receiver, stranger):
            assert seen(api, other, id) == 404
            assert api.ask("DELETE", f"/messages/{id}", headers=other).status_code == 404
    with api.engine.begin() as connection:
        persistence.persist(connection, [waiting])
    assert [seen(api, who, waiting) for who in (sender, receiver, stranger)] == [
        "DELIVERED",
        "DELIVERED",
        404,
    ]
    assert api.ask("DELETE", f"/messages/{waiting}", headers=receiver).status_code == 403
    assert api.ask("DELETE", f"/messages/{waiting}", headers=sender).status_code == 204
    assert [seen(api, who, waiting) for who in (sender, receiver)] == ["RECALLED", 404]
    assert api.ask("DELETE", f"/messages/{waiting}", headers=receiver).status_code == 404
    failed = api.sent(sender, receiver_id=2, **body)
    with api.engine.begin() as connection:
        failed_sends.move_to_failed(connection, [failed])
    assert [seen(api, who, failed) for who in (sender, receiver)] == ["FAILED", 404]


def test_a_wait_that_ends_before_is_answered_all_the_same(api: Api) -> None:
    """Accepted is accepted; the preference was not applied."""
    began = time.monotonic()
    answer = api.send({**api.person(1), "Prefer": "wait=1"}, receiver_id=2)
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers
    assert 1 <= time.monotonic() - began < 5


def test_times_are_in_the_deployments_zone(own_environ: dict[str, str], engine: Engine) -> None:
    """Without an offset (contract §0)."""
    from tests.ingest.running import running

    with running({**own_environ, "CARILLON_TIME_ZONE": "Asia/Shanghai"}, engine) as api:
        shown = api.send(api.person(1), receiver_id=2).json()["created_at"]
    eight_hours_on = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 8 * 3600))
    assert shown.startswith(eight_hours_on[:11])
    assert abs(int(shown[11:13]) - int(eight_hours_on[11:13])) <= 1


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    from ops.local.polling import wait_until

    return wait_until(condition, seconds=10)


@pytest.mark.parametrize("peer", ["99", "-99", "-2147483649"])
def test_a_conversation_with_nobody_is_404(api: Api, peer: str) -> None:
    """For reading it and for marking it."""
    headers = api.person(1)
    assert api.ask("GET", f"/messages/history/{peer}", headers=headers).status_code == 404
    path = f"/messages/conversations/{peer}/read"
    assert api.ask("PUT", path, headers=headers).status_code == 404
