"""People and apps as the client finds them (contract §6), media, and how far broadcasts are."""

from typing import Any

import pytest
from sqlalchemy import Engine, update

from storage.people import grams
from storage.tables import users
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
        api.deliver()
        peer = 1 if shown["sender_id"] else -7
        [newest, *_] = get(api, f"/messages/history/{peer}", person=2)
        for url in (shown["content"], newest["content"]):
            assert api.client.get(url).content == b"12345"
            assert api.client.head(url).status_code == 200
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


def test_an_upload_that_is_too_large_is_413(shared_api: Api) -> None:
    """By its announced size."""
    body = {"content_type": "video/mp4", "filename": "a.mp4", "size": 2**40}
    answer = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body)
    assert answer.status_code == 413


def test_an_app_lists_its_broadcasts_newest_first(api: Api) -> None:
    """And another app none of them."""
    ids = [api.sent(api.app("oa"), type="NOTIFICATION", is_broadcast=True) for _ in range(3)]
    api.deliver()
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params={"limit": 2})
    assert [report["id"] for report in answer.json()] == ids[:0:-1]
    older = {"before_id": ids[1]}
    answer = api.ask("GET", "/broadcasts", headers=api.app("oa"), params=older)
    assert [report["id"] for report in answer.json()] == ids[:1]
    assert list(answer.json()[0]) == [
        "id", "status", "total", "expanded", "failed_chunks", "recalled", "read", "created_at",
        "started_at", "finished_at", "rate_per_second", "unresolved",
    ]  # fmt: skip
    assert api.ask("GET", "/broadcasts", headers=api.app("crm")).json() == []
