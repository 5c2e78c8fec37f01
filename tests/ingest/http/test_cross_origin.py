"""Pages of other origins (contract §0, Origins): what a browser is told, on every answer there is."""

import socket
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.ingest.api_server import Api, run_api

LISTED = {"Origin": "https://app.example.com"}
OTHER = {"Origin": "https://evil.test"}
ASKS = {"Access-Control-Request-Method": "POST"}


@pytest.fixture
def api(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server that lists one origin, and any port of localhost."""
    listed = {"CARILLON_ORIGINS": "https://app.example.com, http://localhost:*"}
    with run_api({**own_environ, **listed}, engine) as api:
        yield api


def is_readable(answer: httpx.Response, origin: str = LISTED["Origin"]) -> bool:
    """Whether a page of `origin` may read the answer, and its headers that matter; never with cookies."""
    exposed = answer.headers.get("Access-Control-Expose-Headers", "").split(", ")
    return (
        answer.headers.get_list("Access-Control-Allow-Origin") == [origin]
        and {"X-Request-Id", "Retry-After", "Idempotency-Replay", "Preference-Applied"}
        <= set(exposed)
        and {"Location", "Link", "Deprecation"} <= set(exposed)
        and "Origin" in answer.headers["Vary"]
        and "Access-Control-Allow-Credentials" not in answer.headers
    )


def test_a_preflight_of_a_listed_origin_is_204(api: Api) -> None:
    """It names methods, headers and how long a browser may remember it, on every path, without a token."""
    for path in ("/messages/", "/messages", "/media/objects/u/1/x.png", "/nowhere", "//healthz"):
        answer = api.ask("OPTIONS", path, headers=LISTED | ASKS)
        assert (answer.status_code, answer.content) == (204, b"")
        assert is_readable(answer)
        assert {"GET", "PUT", "DELETE"} <= set(
            answer.headers["Access-Control-Allow-Methods"].split(", ")
        )
        allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"Authorization", "Content-Type", "Idempotency-Key", "Prefer"} <= set(allowed)
        assert {"X-Request-Id", "X-App-Id", "X-Timestamp", "X-Sign"} <= set(allowed)
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert answer.headers["X-Request-Id"]


def test_every_answer_to_a_listed_origin_can_be_read(api: Api) -> None:
    """Successes and errors alike: otherwise the page would see a bare network error in place of a 401."""
    me = api.person(1)
    message: dict[str, Any] = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
    answers = {
        200: api.ask("POST", "/messages/", headers=me | LISTED, json=message),
        401: api.ask("GET", "/messages/conversations", headers=LISTED),
        403: api.ask("GET", "/broadcasts", headers=me | LISTED),
        404: api.ask("GET", "/nowhere", headers=LISTED),
        405: api.ask("PATCH", "/messages/", headers=me | LISTED),
        413: api.ask("POST", "/messages/", headers=me | LISTED, content=b"x" * 2**20),
        422: api.ask("POST", "/messages/", headers=me | LISTED, content=b"{"),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    assert all(map(is_readable, answers.values()))
    local = api.ask("GET", "//healthz", headers={"Origin": "http://localhost:5173"})
    assert is_readable(local, "http://localhost:5173")


def test_an_origin_that_is_not_listed_gets_no_header(api: Api) -> None:
    """A browser gives its page nothing; the answer itself is as for any caller, and a preflight is a 405."""
    answer = api.ask("GET", "/messages/conversations", headers=api.person(1) | OTHER)
    assert answer.status_code == 200
    asked = api.ask("OPTIONS", "/messages/", headers=OTHER | ASKS)
    assert asked.status_code == 405
    for one in (answer, asked):
        assert not [name for name in one.headers if name.startswith("access-control")]
        assert one.headers["Vary"] == "Origin"


def test_a_caller_without_an_origin_gets_no_header(api: Api) -> None:
    """Apps and command lines are no browsers."""
    answer = api.ask("GET", "//healthz")
    assert not [name for name in answer.headers if name.startswith(("access-control", "vary"))]


def test_an_upload_that_is_answered_early_can_be_read(api: Api) -> None:
    """A PUT whose link is not valid is 403 before its body was read; the page sees that, and not a broken connection."""
    path = "/media/objects/u/1/0123456789abcdef0123456789abcdef.png?expires=1&signature=x"
    answer = api.ask("PUT", path, headers=LISTED, content=b"x" * 2**22)
    assert answer.json()["code"] == "LINK_NOT_VALID"
    assert is_readable(answer)


def test_what_the_server_answers_before_the_application_can_be_read(api: Api) -> None:
    """A head that is too large is 431 by the server itself: it names the origin, if that came before."""
    url = api.client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as wire:
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example.com\r\n"
        wire.sendall(head + b"X-Long: %b\r\n\r\n" % (b"x" * 70_000))
        answer = b""
        while part := wire.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code": "HEADERS_TOO_LARGE"' in answer
    assert b"access-control-allow-origin: https://app.example.com\r\n" in answer


def test_an_image_that_is_cached_is_no_answer_for_another_origin(api: Api) -> None:
    """An object says `Vary: Origin` also when no origin asks: what <img> cached is of no use to fetch()."""
    announced = api.ask(
        "POST",
        "/media/uploads",
        headers=api.person(1),
        json={"content_type": "image/png", "filename": "a.png", "size": 3},
    ).json()
    way = announced["upload"]
    put = api.client.request(way["method"], way["url"], headers=way["headers"], content=b"png")
    assert put.status_code == 204
    sent = api.send(api.person(1), receiver_id=2, content_type="IMAGE", content=announced["key"])
    url = sent.json()["content"]
    assert api.client.get(url).headers.get_list("Vary") == ["Origin"]
    assert api.client.get(url, headers=LISTED).headers.get_list("Vary") == ["Origin"]
    assert is_readable(api.client.get(url, headers=LISTED))
