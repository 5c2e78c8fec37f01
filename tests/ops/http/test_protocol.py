"""What one connection may send: heads, trailers, pipelined requests and upgrades, each with its bounds."""

import asyncio
import random
import socket
import time

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from ops.http.protocol import HttpProtocol
from tests.ops.http.app import Server
from tests.ops.http.requests import GET, HELD, MIB, POST, FakeTransport, is_refusal


def test_a_head_of_64_kib_is_read_and_a_longer_one_is_431(server: Server) -> None:
    """A head of up to 64 KiB is read and a longer one is answered 431, in one write and in many."""
    for size, status in ((65_000, 200), (66_000, 431)):
        request = b"GET /a HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * size + b"\r\n\r\n"
        with server.wire() as wire:
            answer = wire.ask(request)
            assert answer.status == status
            assert status == 200 or is_refusal(answer, 431)
        with server.wire() as wire:
            for start in range(0, len(request), 5_000):
                wire.try_to_send(request[start : start + 5_000])
            assert wire.answer().status == status


def test_a_header_without_an_end_is_431_and_costs_others_nothing(server: Server) -> None:
    """Of one header of 60 MB only 64 KiB are taken, then 431 is answered; others are answered meanwhile, and memory does not grow."""
    before = server.memory()
    with server.wire() as wire:
        wire.send(b"GET /a HTTP/1.1\r\nHost: x\r\nX-Long: ")
        slowest = 0.0
        for _ in range(60):
            wire.try_to_send(b"x" * MIB)
            since = time.monotonic()
            assert server.get("/a").status == 200
            slowest = max(slowest, time.monotonic() - since)
        assert slowest < 0.5
        assert server.memory() - before < 8 * MIB


@pytest.mark.parametrize(
    "begun",
    [
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Trailer: ",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;extension=",
        b"GET /",
        b"X",
    ],
    ids=["trailer", "chunk extension", "target", "method"],
)
def test_neither_trailers_nor_extensions_nor_targets_grow_without_an_end(
    server: Server, begun: bytes
) -> None:
    """Neither a trailer nor a chunk's extension nor a target may be longer than a head may."""
    with server.wire() as wire:
        wire.send(begun)
        for _ in range(40):
            wire.try_to_send(b"x" * 16_384)
        assert wire.answer().status in {400, 431}
        assert wire.is_ended()


def test_empty_lines_before_a_request_are_bounded(server: Server) -> None:
    """A few empty lines before a request are passed over (RFC 9112 §2.2); a stream of them is answered 431."""
    with server.wire() as wire:
        assert wire.ask(b"\r\n\r\n" + GET).status == 200
    with server.wire() as wire:
        wire.try_to_send(b"\r\n" * 50_000)
        assert is_refusal(wire.answer(), 431)


def test_half_a_head_is_408_in_time(hasty: Server) -> None:
    """A head has ten seconds from its first byte, however it comes; one that is not whole by then is answered 408."""
    with hasty.wire() as wire:
        assert is_refusal(wire.ask(b"GET /a HTTP/1.1\r\nHost: "), 408)
        assert wire.is_ended()
    with hasty.wire() as wire:
        began = time.monotonic()
        wire.send(b"GET /a HTTP/1.1\r\nX: ")
        while not wire.is_answered(seconds=0.02):
            wire.try_to_send(b"y")
            assert time.monotonic() - began < 5
        assert is_refusal(wire.answer(), 408)
    with hasty.wire() as wire:
        assert wire.ask(GET).status == 200
        assert is_refusal(wire.ask(GET[:-1]), 408)


def test_requests_are_the_same_however_they_are_cut(server: Server) -> None:
    """Requests that are cut anywhere between packets are read as the same requests."""
    whole = (
        GET
        + POST
        + b"Content-Length: 5\r\n\r\nhello"
        + POST
        + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"
        + GET
    )
    chance = random.Random(16)
    for _ in range(40):
        cuts = sorted(chance.sample(range(1, len(whole)), chance.randint(0, 12)))
        with server.wire() as wire:
            wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire.send(*(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)))
            answers = [wire.answer() for _ in range(4)]
            assert [answer.status for answer in answers] == [200] * 4
            assert [answers[1].json["body"], answers[2].json["body"]] == ["hello", "hello"]


def test_trailers_are_not_headers(server: Server) -> None:
    """Trailers become headers neither of their own request nor of the next one (contract §1)."""
    body = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\n\r\n"
    with server.wire() as wire:
        for answer in (wire.ask(POST + body), wire.ask(POST + b"Content-Length: 0\r\n\r\n")):
            assert answer.status == 200
            assert "authorization" not in dict(answer.json["headers"])


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    """Of 500 requests sent at once, more than fit into the pipe, each gets its answer, in order."""
    with server.wire() as wire:
        wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(500)))
        assert [wire.answer().json["path"] for _ in range(500)] == [f"/{n}" for n in range(500)]


def test_no_more_requests_are_taken_up_than_fit_into_the_pipe() -> None:
    """Sixteen requests are taken up, the one that is being answered included; the rest waits unparsed, and nothing is read meanwhile."""
    begun: list[str] = []
    gate = asyncio.Semaphore(0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["path"])
        await receive()  # it may read, and must not let more in by that
        await gate.acquire()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def story() -> None:
        config = Config(app, ws="none", log_config=None)
        config.load()
        protocol = HttpProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        transport = FakeTransport()
        protocol.connection_made(transport)
        requests = [b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(100)]
        protocol.data_received(b"".join(requests[:50]))
        protocol.data_received(b"".join(requests[50:]))
        for number in range(100):
            await asyncio.sleep(0)
            assert len(protocol.pipeline) < 16
            assert transport.is_reading_now == (number == 99)
            gate.release()
            while len(begun) < min(100, number + 2):  # noqa: ASYNC110 (turns of the loop)
                await asyncio.sleep(0)
        while protocol.tasks:  # noqa: ASYNC110 (turns of the loop)
            await asyncio.sleep(0)
        assert begun == [f"/{n}" for n in range(100)]
        protocol.connection_lost(None)

    asyncio.run(story())


def test_what_was_asked_before_nonsense_is_answered(server: Server) -> None:
    """Requests before something that is no request are answered; then the connection ends."""
    with server.wire() as wire:
        wire.send(HELD + GET + b"nonsense\r\n\r\n")
        assert server.has_read(wire)
        assert server.get("/go").status == 200
        assert [wire.answer().status for _ in range(2)] == [200, 200]
        assert wire.is_ended()
    with server.wire() as wire:
        assert is_refusal(wire.ask(b"nonsense\r\n\r\n"), 400)
        assert wire.is_ended()


def test_a_body_in_tiny_chunks_lets_others_have_their_turn() -> None:
    """43,000 chunks in one read are parsed in several turns of the loop, and the requests behind them are answered."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        sizes.append(size)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    sizes: list[int] = []

    async def story() -> int:
        config = Config(app, ws="none", log_config=None)
        config.load()
        protocol = HttpProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(FakeTransport())
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        protocol.data_received(head + b"1\r\nx\r\n" * 43_000 + b"0\r\n\r\n" + GET + GET[:20])
        protocol.data_received(GET[20:])
        turns = 0
        while len(sizes) < 3:
            await asyncio.sleep(0)
            turns += 1
        protocol.connection_lost(None)
        return turns

    assert asyncio.run(story()) > 10
    assert sizes == [43_000, 0, 0]


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"foo"])
def test_an_upgrade_to_what_is_not_spoken_here_is_a_request_like_any(
    server: Server, upgrade: bytes
) -> None:
    """A request to upgrade to a protocol that is not spoken here is answered as a request, with its body, wherever the packets end."""
    head = (
        b"POST /body HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: %d\r\n\r\n"
        % (upgrade, len(GET))
    )
    for parts in ((head + GET,), (head, GET)):
        with server.wire() as wire:
            for part in parts:
                wire.send(part)
                assert server.has_read(wire)
            answer = wire.answer()
            assert answer.json["body"] == GET.decode()
            assert ["http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA"] in answer.json["headers"]
            assert wire.ask(GET).json["path"] == "/a"


def test_connect_is_405(server: Server) -> None:
    """CONNECT is answered 405: the server is no proxy."""
    with server.wire() as wire:
        assert is_refusal(wire.ask(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"), 405)
