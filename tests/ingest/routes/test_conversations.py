"""Lists, histories and marks (contract §4), over what was really delivered."""

import pytest
from sqlalchemy import Engine, text

from storage.model.event import AllRead, ConversationRead
from storage.postgres import outbox
from tests.ingest.api_server import Api


def history(api: Api, reader: int, peer: int, **params: int) -> list[int]:
    """The ids of a page."""
    answer = api.ask("GET", f"/messages/history/{peer}", headers=api.person(reader), params=params)
    assert answer.status_code == 200, answer.text
    return [message["id"] for message in answer.json()]


def test_a_private_message_is_in_both_histories_and_lists(api: Api) -> None:
    """A private message is unread for its receiver and read for its sender, under the names of the client document."""
    first = api.send_for_id(api.person(1), receiver_id=2)
    second = api.send_for_id(api.person(2), receiver_id=1, content="好" * 300)
    api.deliver()
    assert history(api, 1, 2) == history(api, 2, 1) == [second, first]
    [line] = api.ask("GET", "/messages/conversations", headers=api.person(1)).json()
    updated_at, updated_at_ms = line.pop("updated_at"), line.pop("updated_at_ms")
    assert len(updated_at) == 19
    assert str(updated_at_ms).isdecimal()
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
        "updated_at", "updated_at_ms", "is_system", "app_id", "app_name",
    ]  # fmt: skip


def test_an_app_s_notifications_are_a_conversation_of_their_own(api: Api) -> None:
    """Notifications of an app are a conversation with `-app.id`, named after the app; an image shows as [IMAGE]."""
    notice = {"type": "NOTIFICATION", "receiver_id": 2, "content_type": "IMAGE"}
    api.send_for_id(api.app("oa"), **notice, content="https://a.example/1.png")
    api.deliver()
    [line] = api.ask("GET", "/messages/conversations", headers=api.person(2)).json()
    assert (line["user_id"], line["username"], line["full_name"]) == (-7, "oa", "OA系统")
    assert (line["app_id"], line["app_name"], line["is_system"]) == (7, "OA系统", True)
    assert (line["last_message"], line["last_message_type"]) == ("[IMAGE]", "IMAGE")
    assert len(history(api, 2, -7)) == 1


def test_imported_notifications_are_the_system_s(api: Api, engine: Engine) -> None:
    """Imported notifications without an app are in conversation 0, named `system` and `系统通知`."""
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
    """Pages of a history, by `skip` or by `before_id`, are newest first, with nothing twice and nothing left out."""
    ids = [api.send_for_id(api.person(1), receiver_id=2) for _ in range(7)][::-1]
    api.deliver()
    assert history(api, 2, 1) == ids
    assert history(api, 2, 1, limit=3) + history(api, 2, 1, skip=3, limit=100) == ids
    assert history(api, 2, 1, before_id=ids[2], limit=2) == ids[3:5]
    assert history(api, 2, 3) == []


def test_reading_one_conversation_leaves_the_others(api: Api) -> None:
    """Reading a conversation, up to an id or all of it, changes no other, and its sender learns when it was read."""
    ids = [api.send_for_id(api.person(1), receiver_id=2) for _ in range(3)]
    api.send_for_id(api.person(3), receiver_id=2)
    api.deliver()
    headers = api.person(2)
    assert api.ask("GET", "/messages/unread-count", headers=headers).json() == {
        "total": 4,
        "todo": 0,
    }
    path = "/messages/conversations/1/read"
    assert api.ask("PUT", path, headers=headers, json={"up_to_id": ids[1]}).json() == {
        "updated_count": 2
    }
    assert api.ask("PUT", path, headers=headers).json() == {"updated_count": 1}
    assert api.ask("PUT", path, headers=headers, json={}).json() == {"updated_count": 0}
    assert api.ask("GET", "/messages/unread-count", headers=headers).json() == {
        "total": 1,
        "todo": 0,
    }
    answer = api.ask("GET", "/messages/history/2", headers=api.person(1)).json()
    assert all(message["is_read"] and len(message["read_at"]) == 19 for message in answer)
    assert all(message["read_at_ms"] > message["created_at_ms"] for message in answer)


def test_reading_everything_is_deprecated_and_works(api: Api) -> None:
    """Reading everything at once still answers the count, and its headers say where to go instead."""
    for sender in (1, 3, 3):
        api.send_for_id(api.person(sender), receiver_id=2)
    api.deliver()
    answer = api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert answer.json() == {"updated_count": 3}
    assert answer.headers["Deprecation"]
    assert 'rel="successor-version"' in answer.headers["Link"]
    again = api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert again.json() == {"updated_count": 0}


def test_reading_is_told_to_the_other_devices(api: Api) -> None:
    """Reading a conversation puts one CONVERSATION_READ into the outbox, and none where nothing changed."""
    message_id = api.send_for_id(api.person(1), receiver_id=2)
    api.deliver()
    api.ask("PUT", "/messages/conversations/1/read", headers=api.person(2))
    api.ask("PUT", "/messages/conversations/1/read", headers=api.person(2))
    assert outbox_of(api) == [ConversationRead(2, 1, message_id, 0)]


def test_reading_everything_is_told_once(api: Api) -> None:
    """Reading everything puts one ALL_READ into the outbox for all conversations, none if nothing changed (contract §4)."""
    ids = [api.send_for_id(api.person(sender), receiver_id=2) for sender in (1, 3, 3)]
    api.deliver()
    for _ in range(2):
        api.ask("PUT", "/messages/read-all", headers=api.person(2))
    assert outbox_of(api) == [AllRead(2, max(ids), 0)]


def test_what_a_newer_version_wrote_is_shown_as_it_is_written(api: Api) -> None:
    """After a roll-back, a type that only the newer version knows makes no list, page, message or retry an error."""
    key = {**api.app("oa"), "Idempotency-Key": "once"}
    notice = {"type": "NOTIFICATION", "receiver_id": 2}
    id = api.send_for_id(key, **notice)
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


@pytest.mark.parametrize("peer", ["99", "-99", "-2147483649"])
def test_a_conversation_with_nobody_is_404(api: Api, peer: str) -> None:
    """Reading or marking a conversation with a person or app that does not exist is 404."""
    headers = api.person(1)
    assert api.ask("GET", f"/messages/history/{peer}", headers=headers).status_code == 404
    path = f"/messages/conversations/{peer}/read"
    assert api.ask("PUT", path, headers=headers).status_code == 404


def test_the_list_is_paged_by_the_link_to_the_next_page(api: Api) -> None:
    """Following `Link` shows every conversation once, newest first; the last page has no such header."""
    for sender in (3, 4, 5, 6, 1):
        api.send_for_id(api.person(sender), receiver_id=2)
    api.deliver()
    found, path = [], "/messages/conversations?limit=2"
    for expected in (2, 2, 1):
        answer = api.ask("GET", path, headers=api.person(2))
        assert len(answer.json()) == expected
        found += [line["user_id"] for line in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
        path = path and f"/{answer.url.join(path).raw_path.decode()}"
    assert found == [1, 6, 5, 4, 3]
    assert not path
    whole = api.ask("GET", "/messages/conversations", headers=api.person(2))
    assert [line["user_id"] for line in whole.json()] == found
    assert "Link" not in whole.headers


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=two", "cursor=", "cursor=nonsense", "cursor=WzFd"]
)
def test_a_page_that_cannot_be_is_422(api: Api, query: str) -> None:
    """A limit out of bounds, and a cursor that was never given out, are 422 and name the parameter."""
    answer = api.ask("GET", f"/messages/conversations?{query}", headers=api.person(2))
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]
