"""Uploads, and media as senders and receivers see them (contract §4)."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.ingest.api_server import Api


def test_media_is_uploaded_sent_and_shown_by_a_signed_url(shared_api: Api) -> None:
    """Only the uploader of an object may send its key, and everyone who gets it reads a URL that needs no token."""
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
        [newest, *_] = api.read(f"/messages/history/{peer}", person=2)
        assert newest["filename"] == "a.png"
        for url in (shown["content"], newest["content"]):
            assert api.client.get(url).content == b"12345"
            assert api.client.head(url).status_code == 200
            named = api.client.get(url).headers["content-disposition"]
            assert named == "inline; filename*=UTF-8''a.png"
            assert api.client.get(url.replace("signature=", "signature=0")).status_code == 403


@pytest.mark.parametrize(("content", "status"), [(b"1234", 422), (b"123456", 413), (b"12345", 204)])
def test_an_upload_has_the_size_announced(shared_api: Api, content: bytes, status: int) -> None:
    """An upload with fewer or more bytes than announced is refused, and one that fits is taken once."""
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
    """An announcement without a name, with a bad type or a bad size is 422, before there is a key."""
    body = {"content_type": "image/png", "filename": "a.png", "size": 5} | changes
    answer = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body)
    assert answer.status_code == 422


def test_what_is_not_uploaded_yet_is_not_sent(shared_api: Api) -> None:
    """A granted key is 422 until its upload has succeeded, in a batch too; the key of another is 403 at any time."""
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
    """A file's type is taken as browsers say it, and its own name is beside `content` and in what is downloaded."""
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
    [newest, *_] = api.read("/messages/history/1", person=2)
    assert (newest["filename"], newest["content"]) == (shown_name, shown["content"])
    got = api.ask("GET", f"/messages/{shown['id']}", headers=api.person(2)).json()
    assert got["filename"] == shown_name


def test_a_repeated_media_send_has_its_first_answer(shared_api: Api) -> None:
    """Repeating a send of media with its key gives the first answer again, with the file's name in it."""
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
    """Announcing an upload that is larger than allowed is 413."""
    body = {"content_type": "video/mp4", "filename": "a.mp4", "size": 2**40}
    answer = shared_api.ask("POST", "/media/uploads", headers=shared_api.person(1), json=body)
    assert answer.status_code == 413
