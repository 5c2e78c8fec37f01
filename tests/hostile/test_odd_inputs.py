"""Odd inputs to every route, by everyone who may call it: refused or answered, never 5xx (contract §0)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from ingest.http.endpoint import ANYONE, Endpoint
from ingest.routes import ALL
from tests.ingest.api_server import API, Api
from tests.ingest.conftest import shared_api
from tests.ingest.identity.test_callers import SOUND

__all__ = ["shared_api"]

NUMBERS = [
    "0", "-1", "-0", "1.5", "1e5", "2147483648", "-2147483649", str(2**53), str(2**63 - 1), str(2**63), str(-(2**63)),
    str(-(2**63) - 1), "9" * 5000, "0" * 5000, "-" + "1" * 5000,
]  # fmt: skip
TEXTS = ["", "%00", "a%00b", "%ff%fe", "%ED%A0%80", "%2e%2e%2f", "'\"<>", "%F0%9F%9B%8E" * 300, "NaN", "null", "٣", "%0d%0aX: y"]  # fmt: skip
DEEP = json.loads('{"a":' * 300 + "1" + "}" * 300)
VALUES: list[Any] = [
    None, True, 0, -1, 2**31, 2**53, 2**63, -(2**63) - 1, 2**70, 1.5, float("inf"), float("nan"), "", "\0", "a\0b", "\ud800",
    "x" * 70_000, "𝕏" * 300, "\u202e\u0000", "9" * 5000, "https://\ud800.example.com/", "0001-01-01T00:00:00+23:59",
    DEEP, {"user_ids": DEEP}, "9999-12-31T23:59:59-23:59", "2026-13-45T99:99:99Z", [], [None], [[]] * 3, {}, {"a": None}, {"\0": 1}, {"\ud800": 1},
    {"user_ids": [2**63]}, {"user_ids": ["1"], "app_user_ids": []}, {"app_user_ids": ["\0"]}, {"app_user_ids": [2] * 1000},
]  # fmt: skip
BODIES = [
    b"", b"null", b"[]", b"{}", b"0", b'"x"', b"{", b"\xff", b"\xef\xbb\xbf{}", b"\0", b'{"a":NaN}', b'{"a":1e999}', b'{"a":-0}',
    b'{"a":01}', b'{"a":1,"a":2}', b'{"":{"":{}}}', b'{"\\ud800":1}', b'{"a":"\\udfff"}', b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":' * 254 + b"1" + b"}" * 254, b'{"a":' * 1023 + b"1.5" + b"}" * 1023, b"[" * 100_000, b'{"a":' * 50_000,
    b'{"messages":null}', b'{"messages":[null,[],0,"",{}]}', b'{"messages":[' + b'{"a":' * 900 + b"1.5" + b"}" * 900 + b"]}",
    b'{"messages":[{"content":{"a":1e999},"title":"\\u0000"},{"title":"\\ud800"}]}', b"{" + b'"k":1,' * 10_000 + b'"k":2}',
]  # fmt: skip
HEADERS: list[dict[str, bytes]] = [
    {"Idempotency-Key": b""}, {"Idempotency-Key": b"\xff" * 255}, {"Idempotency-Key": b"x" * 5000}, {"Prefer": b"wait=" + b"9" * 5000},
    {"Prefer": b"wait=\xff"}, {"X-Request-Id": b"\xff"}, {"traceparent": b"00-\xff"}, {"Cookie": b"carillon_console=" + b"9" * 5000 + b".x"},
    {"Range": b"bytes=-" + b"9" * 5000}, {"Accept": b"\xff"}, {"Content-Type": b"\xff"}, {"Host": b"\xff:99999"}, {"If-None-Match": b"\xff"},
]  # fmt: skip
STRANGERS: list[dict[str, bytes]] = [
    {"Authorization": b"Bearer \xff\xfe"}, {"Authorization": b"Bearer " + b"eyJ" * 5000}, {"Authorization": b"Bearer a.b.c"}, {"Authorization": b"\xff"},
    {"X-App-Id": b"\xff", "X-Timestamp": b"1", "X-Sign": b"\xff"}, {"X-App-Id": b"oa", "X-Timestamp": b"9" * 5000}, {"X-App-Id": b""},
]  # fmt: skip


def path_of(endpoint: Endpoint, value: str = "1") -> str:
    """The path of an endpoint, with `value` in place of every parameter."""
    return re.sub(r"{[^}]*}", lambda _: value, endpoint.path)


def urls(endpoint: Endpoint) -> Iterator[str]:
    """Paths and queries of an endpoint: each parameter in turn with every odd value."""
    for name in endpoint.params.model_fields:
        for value in NUMBERS + TEXTS:
            if f"{{{name}" in endpoint.path:
                yield path_of(endpoint, value)
            else:
                yield f"{path_of(endpoint)}?{name}={value}"
    yield f"{path_of(endpoint)}?limit=1&limit=2&skip=%00&&=&x"
    yield f"{path_of(endpoint)}?" + "a=b&" * 2000


def bodies(endpoint: Endpoint) -> Iterator[bytes]:
    """Odd bodies, and a sound one with each of its fields in turn of every odd value."""
    yield from BODIES
    sound = SOUND[endpoint.name][1] or {}
    for name in endpoint.body.model_fields:
        for value in VALUES:
            yield json.dumps({**sound, name: value}).encode()
            if endpoint.body.lenient_list:
                yield json.dumps({endpoint.body.lenient_list: [value, {"type": value}]}).encode()


def callers(api: Api, endpoint: Endpoint) -> Iterator[Mapping[str, str]]:
    """The headers of one caller of each kind that may call an endpoint."""
    if endpoint.callers.people or endpoint.callers is ANYONE:
        yield api.person(1)
    if endpoint.callers.apps:
        yield api.app()


def raw(headers: Mapping[str, bytes]) -> list[tuple[bytes, bytes]]:
    """Headers whose values are any bytes."""
    return [(name.encode(), value) for name, value in headers.items()]


def check_answer(answer: httpx.Response) -> None:
    """Fail if the server made an error, or refused without a reason."""
    assert answer.status_code < 500, answer.request.url
    assert answer.headers["X-Request-Id"]
    if answer.status_code >= 400:
        assert answer.json()["detail"], answer.request.url


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.name)
def test_no_odd_input_is_an_error_of_ours(shared_api: Api, endpoint: Endpoint) -> None:
    """Odd values in path, query, body and headers, from any caller, are answered below 500, and strangers get 401."""
    api, method = shared_api, endpoint.method
    for caller in callers(api, endpoint):
        for url in urls(endpoint):
            check_answer(api.client.request(method, url, headers=caller))
        if endpoint.takes_json:
            for number, body in enumerate(bodies(endpoint)):
                key = {"Idempotency-Key": f"{endpoint.name} {number}"} if number % 2 else {}
                headers = {**caller, **key}
                check_answer(
                    api.client.request(method, path_of(endpoint), headers=headers, content=body)
                )
        for odd in HEADERS:
            known = {name: text.encode() for name, text in caller.items()}
            asked = api.client.request(method, path_of(endpoint), headers=raw({**known, **odd}))
            check_answer(asked)
    for stranger in STRANGERS:
        answer = api.client.request(method, path_of(endpoint), headers=raw(stranger))
        check_answer(answer)
        assert endpoint.callers is ANYONE or answer.status_code == 401


PATHS = ["/%00", "/%ff", "/" + "a" * 20_000, "/x" + "//" * 500, "/../../etc/passwd", f"{API}/%2e%2e/docs", f"{API}/messages/%2F", f"{API}/messages/1%00", "/docs/files/%ED%A0%80"]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", "TRACE", "X" * 100])
def test_paths_that_no_route_has_are_refused(shared_api: Api, method: str) -> None:
    """A path that no route has is refused with a status between 400 and 499, by any method."""
    for path in PATHS:
        assert 400 <= shared_api.client.request(method, path).status_code < 500, path
