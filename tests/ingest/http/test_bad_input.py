"""What no client should send (contract §0, Strict input): 422 or another 4xx, never 500."""

import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.postgres.tables import accepted
from tests.ingest.api_server import API, Api

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":NaN}',
    "infinity": b'{"type":"MESSAGE","title":"t","content":{"n":Infinity},"receiver_id":2}',
    "an id past a double": b'{"type":"MESSAGE","title":"t","content":{"n":1},"receiver_id":1e999}',
    "not UTF-8": b'{"type":"MESSAGE","title":"\xff","content":"c","receiver_id":2}',
    "a byte order mark": b'\xef\xbb\xbf{"type":"MESSAGE","title":"t","content":"c","receiver_id":2}',
    "a lone surrogate": b'{"type":"MESSAGE","title":"\\ud800","content":"c","receiver_id":2}',
    "a NUL in the title": b'{"type":"MESSAGE","title":"\\u0000","content":"c","receiver_id":2}',
    "a NUL in the content": b'{"type":"MESSAGE","title":"t","content":"a\\u0000b","receiver_id":2}',
    "a NUL in an object": b'{"type":"MESSAGE","title":"t","content":{"a":["\\u0000"]},"receiver_id":2}',
    "a NUL in a key": b'{"type":"MESSAGE","title":"t","content":{"\\u0000":1},"receiver_id":2}',
    "past 64 bits": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":18446744073709551616}',
    "below 64 bits": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":-9223372036854775809}',
    "past signed 64 bits": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":9223372036854775808}',
    "past 64 bits in an object": b'{"type":"MESSAGE","title":"t","content":{"n":18446744073709551616},"receiver_id":2}',
    "ten thousand digits": b'{"type":"MESSAGE","title":"t","content":{"n":' + b"9" * 10_000 + b'},"receiver_id":2}',
    "ten thousand levels": b'{"type":"MESSAGE","title":"t","content":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "a thousand levels and a long number": b'{"type":"MESSAGE","title":"t","receiver_id":2,"content":' + b'{"a":' * 1000 + b"9" * 19 + b"}" * 1001,
    "300 levels": b'{"type":"MESSAGE","title":"t","receiver_id":2,"content":' + b'{"a":' * 300 + b"1" + b"}" * 301,
    "a thousand levels": b'{"type":"MESSAGE","title":"t","receiver_id":2,"content":' + b'{"a":' * 1000 + b"1.5" + b"}" * 1001,
    "a float for an id": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":2.0}',
    "an object for a title": b'{"type":"MESSAGE","title":{},"content":"c","receiver_id":2}',
    "a string for a switch": b'{"type":"MESSAGE","title":"t","content":"c","receiver_id":2,"is_broadcast":"no"}',
    "a list for a type": b'{"type":[],"title":"t","content":"c","receiver_id":2}',
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_422(shared_api: Api, name: str) -> None:
    """A bad body is 422 with a list of what is wrong, on every route that takes one."""
    for path, headers in [
        ("/messages/", shared_api.person(1)),
        ("/messages/batch", shared_api.app()),
        ("/simple/sso/verify", shared_api.app()),
        ("/media/uploads", shared_api.person(1)),
    ]:
        answer = shared_api.ask("POST", path, headers=headers, content=BODIES[name])
        assert answer.status_code == 422, answer.text
        assert all({"loc", "msg", "type"} == set(problem) for problem in answer.json()["detail"])


URLS = [
    "/messages/x",
    "/messages/1.0",
    "/messages/+1",
    "/messages/1_0",
    "/messages/ 1",
    "/messages/%00",
    "/messages/٣",
    "/messages/18446744073709551616",
    "/messages/9223372036854775808/callback-url",
    "/messages/history/x",
    "/messages/history/-9223372036854775809",
    "/messages/history/2?limit=0",
    "/messages/history/2?limit=101",
    "/messages/history/2?limit=",
    "/messages/history/2?limit=ten",
    "/messages/history/2?skip=-1",
    "/messages/history/2?skip=18446744073709551616",
    "/messages/history/2?skip=100001",
    "/messages/history/2?before_id=x",
    "/users/?limit=0",
    "/users/?limit=101",
    "/users/?skip=-1",
    "/users/?keyword=%00",
    "/users/?keyword=" + "%e4%ba%ba" * 1_000,
    "/users/?keyword=1&skip=100001",
    "/users/?skip=1000001",
    "/users/search?q=a%00b",
    "/users/search?q=a&limit=101",
    "/apps/?search=%00",
    "/apps/?limit=0",
    "/simple/sso/jump",
    "/simple/sso/jump?app_id=oa",
    "/simple/sso/jump?app_id=oa&redirect_to=https%3A%2F%2Fevil.example.org",
    "/simple/sso/jump?app_id=oa&redirect_to=%00",
    "/simple/sso/jump?app_id=%00&redirect_to=https%3A%2F%2Foa.example.com",
]


@pytest.mark.parametrize("url", URLS)
def test_a_bad_path_or_query_is_422(shared_api: Api, url: str) -> None:
    """A bad value in a path or query is 422, and the answer says in which of them."""
    answer = shared_api.ask("GET", url, headers=shared_api.person(1))
    assert answer.status_code == 422, answer.text
    assert {problem["loc"][0] for problem in answer.json()["detail"]} <= {"path", "query"}


ODD_BUT_FINE = [
    ("/messages/history/2?limit=100&skip=100000", 200),
    ("/users/?skip=1000000", 200),
    ("/messages/history/2?unknown=%00", 200),
    ("/messages/history/2?other_user_id=3", 200),
    ("/messages/history/9223372036854775807", 404),
    ("/messages/history/-9223372036854775808", 404),
    ("/messages/9223372036854775807", 404),
    ("/messages/-1", 404),
    ("/users/search?q=%ff&limit=1", 200),
    ("/users/search?q=%ED%A0%80", 200),
    ("/users/search?q=%25_", 200),
    ("/users/search", 200),
]


@pytest.mark.parametrize(("url", "status"), ODD_BUT_FINE)
def test_odd_but_answered(shared_api: Api, url: str, status: int) -> None:
    """The largest numbers, unknown parameters and bytes that are no text are answered as usual."""
    assert shared_api.ask("GET", url, headers=shared_api.person(1)).status_code == status


def test_a_number_of_64_bits_is_kept_exactly(shared_api: Api) -> None:
    """The largest number that passes comes out as it went in."""
    answer = shared_api.send(shared_api.person(1), receiver_id=2, content={"n": 2**64 - 1})
    assert answer.json()["content"] == '{"n":18446744073709551615}'


def test_numbers_in_content_are_kept_as_written(shared_api: Api) -> None:
    """An object as content is stored compact, in the caller's order, unescaped, with every digit (contract §2)."""
    written = (
        '{ "z" : 0.12345678901234567890123, "名" : [ 1.10, 1e999, -0, 2E+3 ], "a": "\\u4f60" }'
    )
    body = f'{{"type":"MESSAGE","title":"t","receiver_id":2,"content":{written}}}'.encode()
    answer = shared_api.ask("POST", "/messages/", headers=shared_api.person(1), content=body)
    assert (
        answer.json()["content"]
        == '{"z":0.12345678901234567890123,"名":[1.10,1e999,-0,2E+3],"a":"你"}'
    )
    shared_api.deliver()
    shown = shared_api.ask("GET", f"/messages/{answer.json()['id']}", headers=shared_api.person(1))
    assert shown.json()["content"] == answer.json()["content"]


def test_a_written_out_nul_escape_is_text(shared_api: Api) -> None:
    r"""A backslash before `u0000` is a backslash."""
    answer = shared_api.send(shared_api.person(1), receiver_id=2, content="\\u0000")
    assert answer.json()["content"] == "\\u0000"


@pytest.mark.parametrize(
    "path", ["/messages/", "/messages", "/users/", "/users", "/apps/", "/apps"]
)
def test_collections_answer_with_and_without_the_slash(shared_api: Api, path: str) -> None:
    """Collections answer with and without the slash at their end, and never by a redirect (contract §0)."""
    if path.startswith("/messages"):
        body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
        answer = shared_api.ask("POST", path, headers=shared_api.person(1), json=body)
    else:
        answer = shared_api.ask("GET", path, headers=shared_api.person(1))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/messages/1/2/3", 404),
        ("PATCH", "/messages/", 405),
        ("POST", "/users/", 405),
        ("PROPFIND", "/users/", 405),
    ],
)
def test_no_such_path_or_method(shared_api: Api, method: str, path: str, status: int) -> None:
    """An unknown path and a wrong method have the shape of every error, and a 405 says which methods there are."""
    answer = shared_api.ask(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail", "code", "request_id"}
    assert status == 404 or answer.headers["Allow"]


def test_a_body_is_not_read_past_its_limit(shared_api: Api) -> None:
    """A body over its limit is 413, by its declared length or by what arrives; the limit of batches is higher."""
    headers = shared_api.person(1)
    long = json.dumps({"type": "x" * 500_000}).encode()
    assert shared_api.ask("POST", "/messages/", headers=headers, content=long).status_code == 413
    parts = (long[at : at + 10_000] for at in range(0, len(long), 10_000))
    assert shared_api.ask("POST", "/messages/", headers=headers, content=parts).status_code == 413
    batch = json.dumps({"messages": [{"x": "y" * 500_000}]}).encode()
    answer = shared_api.ask("POST", "/messages/batch", headers=shared_api.app(), content=batch)
    assert answer.status_code == 200


def test_every_answer_has_a_request_id(shared_api: Api) -> None:
    """Every response has an X-Request-Id: the caller's if it is sane, else ours (contract §0)."""
    for given, kept in [("abc-1", True), ("a b", False), ("x" * 200, False), ("<b>", False)]:
        answer = shared_api.ask("GET", "/nothing", headers={"X-Request-Id": given})
        assert (answer.headers["X-Request-Id"] == given) is kept
    ours = {shared_api.ask("GET", "//healthz").headers["X-Request-Id"] for _ in range(10)}
    assert len(ours) == 10


def test_half_a_request_hurts_nobody(shared_api: Api) -> None:
    """A client that goes away in the middle of its body is no error of ours."""
    url = shared_api.client.base_url
    headers = "".join(f"{k}: {v}\r\n" for k, v in shared_api.person(1).items())
    head = f"POST {API}/messages/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n{headers}\r\n"
    with socket.create_connection((url.host, url.port or 80)) as client:
        client.sendall(head.encode() + b'{"type"')
    assert shared_api.ask("GET", "//healthz").status_code == 200


def metrics(api: Api) -> str:
    """What the server says of itself."""
    return api.ask("GET", "//metrics").text


def test_none_of_it_was_a_500(shared_api: Api) -> None:
    """By the server's own count, nothing that this module asked was answered 500."""
    lines: list[Any] = [line for line in metrics(shared_api).splitlines() if 'status="500"' in line]
    assert lines == []


def test_a_body_that_breaks_off_is_not_taken(api: Api) -> None:
    """A chunked body that ends without its last chunk is refused, even if what came is a whole JSON object."""
    body = json.dumps({"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}).encode()
    url = api.client.base_url
    head = f"POST {API}/messages/ HTTP/1.1\r\nHost: {url.host}\r\nTransfer-Encoding: chunked\r\n"
    head += "Expect: 100-continue\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in api.person(1).items())
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    for end, status in ((b"0\r\n\r\n", b"200"), (b"", b"")):
        with socket.create_connection((url.host, url.port or 80), timeout=10) as wire:
            wire.sendall(head.encode() + b"\r\n")
            assert wire.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            wire.sendall(chunk)
            if not end:
                continue
            wire.sendall(end)
            assert wire.recv(4096)[9:12] == status
    api.send_for_id(api.person(1), receiver_id=2)
    with api.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(accepted)).scalar_one() == 2


def test_a_body_longer_than_it_may_is_413_for_any_client(api: Api) -> None:
    """The answer to a body that is too long comes before the body was read, and is not lost with a reset (contract §0)."""
    for _ in range(10):
        request = urllib.request.Request(
            f"{api.client.base_url}{API}/messages/",
            data=b"x" * 8_000_000,
            headers=api.person(1),
            method="POST",
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        with refused.value:
            assert refused.value.code == 413
            assert "longer" in json.load(refused.value)["detail"]
