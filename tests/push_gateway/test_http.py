"""What the gateway says over plain HTTP: handshakes that cannot be read, and paths that are not there."""

import os
from base64 import b64encode

import pytest

from storage.model.error_codes import ErrorCode
from tests.ops.http.app import Answer, Wire
from tests.push_gateway.running import PATH, Gateway, token


def upgrade(target: str, *more: str, method: str = "GET") -> bytes:
    """A handshake, with more header lines; one of the same name replaces ours."""
    key = b64encode(os.urandom(16)).decode()
    lines = {
        "Host": "x",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    given = dict(line.split(": ", 1) for line in more)
    text = "".join(f"{name}: {value}\r\n" for name, value in (lines | given).items() if value)
    return f"{method} {target} HTTP/1.1\r\n{text}\r\n".encode()


def ask(gateway: Gateway, request: bytes) -> Answer:
    """The answer to exact bytes."""
    with Wire(gateway.port, seconds=5) as wire:
        return wire.ask(request)


def problem(answer: Answer) -> str:
    """The `detail` of an answer in the form of every error."""
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == ["detail", "code", "request_id"]
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert ErrorCode[answer.json["code"]].status == answer.status
    detail: str = answer.json["detail"]
    assert detail and "\n" not in detail
    return detail


def test_long_cookies_do_not_hinder_a_socket(gateway: Gateway) -> None:
    """A browser sends all its cookies of single sign-on: lines up to 16 KiB are read."""
    target = f"{PATH}?token={token(2)}"
    for size in (9_000, 16_000):
        assert ask(gateway, upgrade(target, f"Cookie: {'x' * size}")).status == 101
    assert ask(gateway, upgrade(f"{target}&x={'x' * 15_000}")).status == 101


@pytest.mark.parametrize(
    "more",
    [
        [f"Cookie: {'x' * 17_000}"],
        [f"X-{number}: y" for number in range(200)],
    ],
    ids=["a line", "lines"],
)
def test_a_handshake_that_cannot_be_read_is_431_at_once(gateway: Gateway, more: list[str]) -> None:
    """Nobody waits for an answer that never comes."""
    answer = ask(gateway, upgrade(f"{PATH}?token={token(2)}", *more))
    assert answer.status == 431
    assert problem(answer)


def test_so_is_one_with_a_long_target(gateway: Gateway) -> None:
    """The request line is a line too."""
    assert ask(gateway, upgrade(f"{PATH}?token={'x' * 17_000}")).status == 431


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (upgrade(PATH, "Sec-WebSocket-Key: "), 400),
        (upgrade(PATH, "Sec-WebSocket-Key: short"), 400),
        (upgrade(PATH, "Sec-WebSocket-Version: 7"), 400),
        (upgrade(PATH, method="POST"), 405),
        (upgrade(PATH, "Content-Length: 5") + b"hello", 400),
        (upgrade("/nowhere"), 404),
        (upgrade("/healthz"), 404),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /api/v1/ws/tickets/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /api/v1/ws/tickets HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
        (b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n", 426),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_every_error_is_json_with_a_request_id(
    gateway: Gateway, request_: bytes, status: int
) -> None:
    """Unknown paths, wrong methods and bad handshakes too (contract §0)."""
    answer = ask(gateway, request_)
    assert answer.status == status
    assert problem(answer)
    assert ("allow" in answer.headers) == (status == 405)


def test_the_callers_request_id_comes_back_everywhere(gateway: Gateway) -> None:
    """In errors and in answers; what is not sane is replaced."""
    for request in (
        upgrade("/nowhere", "X-Request-Id: mine"),
        upgrade(PATH, "X-Request-Id: mine"),
        upgrade(PATH, "X-Request-Id: mine", "Sec-WebSocket-Key: short"),
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n",
    ):
        assert ask(gateway, request).headers["x-request-id"] == "mine"
    long = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + b"x" * 500 + b"\r\n\r\n"
    assert len(ask(gateway, long).headers["x-request-id"]) == 32


def test_a_ticket_refused_before_its_body_was_read_is_answered(gateway: Gateway) -> None:
    """8 MB behind a request without a token: 401, and no reset."""
    head = b"POST /api/v1/ws/tickets HTTP/1.1\r\nHost: x\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n%b\r\n" % (b"x" * 65_536) * 128
    for rest in (b"Content-Length: 8000000\r\n\r\n" + b"x" * 8_000_000, chunks + b"0\r\n\r\n"):
        for close in (b"Connection: close\r\n", b""):
            answer = ask(gateway, head + close + rest)
            assert answer.status == 401
            assert problem(answer)
