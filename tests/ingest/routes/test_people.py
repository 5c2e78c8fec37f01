"""People and apps as the client finds them (contract §6), media, and how far broadcasts are."""

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, update

from storage.postgres.people.directory import grams
from storage.postgres.tables import users
from tests.ingest.running import Api


def get(api: Api, path: str, person: int = 1, **params: Any) -> Any:
    """The JSON of a person's GET."""
    answer = api.ask("GET", path, headers=api.person(person), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def zhang(api: Api, engine: Engine) -> Api:
    """A server on which person 3 is 张三."""
    with engine.begin() as connection:
        names = {"name": "张三", "mobile": "13900139000", "english_name": "ZhangSan"}
        connection.execute(
            update(users)
            .where(users.c.id == 3)
            .values(**names, search_grams=grams(*names.values()))
        )
    return api


def test_a_person_is_found_by_any_part_of_a_name(zhang: Api) -> None:
    """One Chinese character included; field for field as in the client document."""
    found = {"id": 3, "mobile": "13900139000", "name": "张三", "english_name": "ZhangSan", "status": "ACTIVE"}  # fmt: skip
    for q in ("张", "三", "1390013", "angs"):
        assert get(zhang, "/users/search", q=q, limit=20) == [found]
        page = get(zhang, "/users/", keyword=q)
        assert page == {
            "total": 1,
            "items": [found | {"role": "ORDINARY_USER", "is_deleted": 0}],
        }


def test_people_are_listed_by_pages(shared_api: Api) -> None:
    """The total is of all that match."""
    page = get(shared_api, "/users/", skip=1, limit=2)
    assert page["total"] == 8
    assert [person["id"] for person in page["items"]] == [2, 3]


def test_the_launchpad_has_the_apps_with_an_account(shared_api: Api) -> None:
    """Active ones only; field for field."""
    page = get(shared_api, "/simple/me/launchpad-apps", person=2)
    assert page["total"] == 2
    assert page["items"][0] == {
        "app_name": "OA系统",
        "app_id": "oa",
        "protocol_type": "SIMPLE_API",
        "mapped_key": "lisi",
        "mapped_email": "lisi@corp.com",
        "is_active": True,
        "description": "",
        "category_id": None,
        "category_name": None,
    }
    assert get(shared_api, "/simple/me/launchpad-apps", person=1) == {"total": 0, "items": []}


def test_an_administrator_sees_every_active_app(shared_api: Api) -> None:
    """Anyone else those they have an account in."""
    everything = get(shared_api, "/apps/", person=6)
    assert [app["app_id"] for app in everything["items"]] == ["oa", "crm"]
    assert everything["items"][0]["mapped_key"] is None
    assert get(shared_api, "/apps/", person=6, search="cr")["total"] == 1
    assert get(shared_api, "/apps/", person=6, limit=1, skip=1)["items"][0]["app_id"] == "crm"
    assert get(shared_api, "/apps/", person=3)["total"] == 1
    assert get(shared_api, "/apps/", person=1)["total"] == 0


def test_media_is_uploaded_sent_and_shown_by_a_signed_url(shared_api: Api) -> None:
    """The key is the sender's to send, and everyone reads a URL that works without a token."""
    api, body = shared_api, {"content_type": "image/png", "filename": "a.png", "size": 5}
    for headers, other in [(api.person(1), api.person(3)), (api.app("oa"), api.app("crm"))]:
        upload = api.ask("POST", "/media/uploads", headers=headers, json=body).json()
        way = upload["upload"]
        assert set(way) == {"method", "url", "headers"}
        done = api.client.request(
            way["method"], way["url"], headers=way["headers"], content=b"12345"
        )
        assert done.status_code == 204
        image = {"receiver_id": 2, "content_type": "IMAGE", "content": upload["key"]}
        assert api.send(other, **image).status_code == 403
        shown = api.send(headers, **image).json()
        assert shown["filename"] == "a.png"
        api.deliver()
        peer = 1 if shown["sender_id"] else -7
        [newest, *_] = get(api, f"/messages/history/{peer}", person=2)
        assert newest["filename"] == "a.png"
        for url in (shown["content"], newest["content"]):
            assert api.client.get(url).content == b"12345"
            assert api.client.head(url).status_code == 200
            named = api.client.get(url).headers["content-disposition"]
            assert named == "inline; filename*=UTF-8''a.png"
            assert api.client.get(url.replace("signature=", "signature=0")).status_code == 403


@pytest.mark.parametrize(("content", "status"), [(b"1234", 422), (b"123456", 413), (b"12345", 204)])
def test_an_upload_has_the_size_announced(shared_api: Api, content: bytes, status: int) -> None:
    """No more, no less, and once."""
    body = {"content_type": "image/png", "filename": "a.png", "size": 5}
    way = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body).json()
    put = shared_api.client.put(way["upload"]["url"], content=content)
    assert put.status_code == status
    if status == 204:
        assert shared_api.client.put(way["upload"]["url"], content=content).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [{"size": 0}, {"size": -1}, {"size": "1"}, {"content_type": "png"}, {"filename": ""}, {"content_type": "a/b\n"}],
)  # fmt: skip
def test_an_upload_is_announced_properly(shared_api: Api, changes: dict[str, Any]) -> None:
    """422 before there is a key."""
    body = {"content_type": "image/png", "filename": "a.png", "size": 5} | changes
    answer = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body)
    assert answer.status_code == 422


def test_what_is_not_uploaded_yet_is_not_sent(shared_api: Api) -> None:
    """A key that was granted is 422 until its upload has succeeded, in a batch too; another's is 403 as ever."""
    api, body = shared_api, {"content_type": "image/png", "filename": "a.png", "size": 5}
    upload = api.ask("POST", "/media/uploads", headers=api.app("oa"), json=body).json()
    image = {"receiver_id": 2, "content_type": "IMAGE", "content": upload["key"]}
    refused = api.send(api.app("oa"), **image)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "content"]
    assert api.send(api.app("crm"), **image).status_code == 403
    entry = {"type": "MESSAGE", "title": "t"} | image
    batch = {"messages": [entry, entry | {"content_type": "TEXT"}]}
    answer = api.ask("POST", "/messages/batch", headers=api.app("oa"), json=batch).json()
    assert [result["status"] for result in answer["results"]] == [422, 200]
    way = upload["upload"]
    assert api.client.put(way["url"], content=b"1234").status_code == 422
    assert api.send(api.app("oa"), **image).status_code == 422
    assert api.client.put(way["url"], content=b"12345").status_code == 204
    assert api.send(api.app("oa"), **image).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "filename", "granted", "shown_name"),
    [
        ("audio/webm;codecs=opus", "语音.webm", "audio/webm", "语音.webm"),
        ("", "README", "application/octet-stream", "README"),
        (None, "C:\\fakepath\\a.txt", "application/octet-stream", "a.txt"),
        ("image/PNG", "///", "image/png", None),
    ],
)
def test_a_file_keeps_its_type_and_its_name(
    shared_api: Api, content_type: str | None, filename: str, granted: str, shown_name: str | None
) -> None:
    """What browsers say of a file is taken; its own name is beside `content` and in what is downloaded."""
    api, body = shared_api, dict[str, Any](filename=filename, size=5)
    if content_type is not None:
        body["content_type"] = content_type
    answer = api.ask("POST", "/media/uploads", headers=api.person(1), json=body)
    assert answer.status_code == 200, answer.text
    upload = answer.json()
    assert upload["upload"]["headers"] == {"Content-Type": granted}
    put = api.client.put(
        upload["upload"]["url"], content=b"12345", headers=upload["upload"]["headers"]
    )
    assert put.status_code == 204
    file = {"receiver_id": 2, "content_type": "FILE", "content": upload["key"]}
    shown = api.send(api.person(1), **file).json()
    assert shown["filename"] == shown_name
    disposition = api.client.get(shown["content"]).headers["content-disposition"]
    assert disposition.endswith(f"filename*=UTF-8''{quote(shown_name)}" if shown_name else "inline")
    api.deliver()
    [newest, *_] = get(api, "/messages/history/1", person=2)
    assert (newest["filename"], newest["content"]) == (shown_name, shown["content"])
    got = api.ask("GET", f"/messages/{shown['id']}", headers=api.person(2)).json()
    assert got["filename"] == shown_name


def test_a_repeated_media_send_has_its_first_answer(shared_api: Api) -> None:
    """With its key it is the first answer again, the file's name in it."""
    api, body = shared_api, {"content_type": "image/png", "filename": "图.png", "size": 5}
    upload = api.ask("POST", "/media/uploads", headers=api.person(1), json=body).json()
    api.client.put(upload["upload"]["url"], content=b"12345")
    headers = api.person(1) | {"Idempotency-Key": upload["key"]}
    image = {"receiver_id": 2, "content_type": "IMAGE", "content": upload["key"]}
    first, again = (api.send(headers, **image) for _ in range(2))
    assert again.headers["Idempotency-Replay"] == "true"
    assert again.json() == first.json()
    assert first.json()["filename"] == "图.png"


def test_an_upload_that_is_too_large_is_413(shared_api: Api) -> None:
    """By its announced size."""
    body = {"content_type": "video/mp4", "filename": "a.mp4", "size": 2**40}
    answer = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body)
    assert answer.status_code == 413


def test_an_app_lists_its_broadcasts_newest_first(api: Api) -> None:
    """Without whom they did not reach (a report's `unresolved`), and another app none of them."""
    ids = [api.sent(api.app("oa"), type="NOTIFICATION", is_broadcast=True) for _ in range(3)]
    api.deliver()
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params={"limit": 2})
    assert [report["id"] for report in answer.json()] == ids[:0:-1]
    older = {"before_id": ids[1]}
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params=older)
    assert [report["id"] for report in answer.json()] == ids[:1]
    assert list(answer.json()[0]) == [
        "id", "status", "total", "expanded", "failed_chunks", "last_error", "held", "recalled", "read",
        "created_at", "started_at", "finished_at", "rate_per_second",
    ]  # fmt: skip
    assert api.ask("GET", "/broadcasts", headers=api.app("crm")).json() == []
