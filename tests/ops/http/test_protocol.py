"""Our HTTP protocol class under a small app: what one connection may cost the others, and what not."""

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from ops.http.protocol import HttpProtocol
from ops.local.polling import wait_until
from tests.ops.http.app import Answer, Server, Wire, served

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: x\r\n"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the limits of production."""
    with served(tmp_path_factory.mktemp("http")) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With every time short."""
    limits = {
        "FIRST_BYTE_SECONDS": 0.4,
        "HEAD_SECONDS": 0.4,
        "UNTAKEN_SECONDS": 0.6,
        "DROPPED_SECONDS": 0.4,
        "DROPPED_BYTES": 8 * MIB,
    }
    with served(tmp_path_factory.mktemp("hasty"), "--timeout-keep-alive", "75", **limits) as server:
        yield server


def refused(answer: Answer, status: int) -> bool:
    """Whether it is the refusal with this status, in the form of the contract."""
    is_json = isinstance(answer.json["detail"], str) and len(answer.headers["x-request-id"]) > 8
    return answer.status == status and is_json and answer.headers["connection"] == "close"


# Heads.


def test_a_head_of_64_kib_is_read_and_a_longer_one_is_431(server: Server) -> None:
    """To the byte, in one write and in many."""
    for size, status in ((65_000, 200), (66_000, 431)):
        request = b"GET /a HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * size + b"\r\n\r\n"
        with server.wire() as wire:
            answer = wire.ask(request)
            assert answer.status == status
            assert status == 200 or refused(answer, 431)
        with server.wire() as wire:
            for start in range(0, len(request), 5_000):
                wire.try_to_send(request[start : start + 5_000])
            assert wire.answer().status == status


def test_a_header_without_an_end_is_431_and_costs_others_nothing(server: Server) -> None:
    """60 MB of one header are refused when 64 KiB have come; others are answered meanwhile."""
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
def test_nothing_else_grows_without_an_end(server: Server, begun: bytes) -> None:
    """Neither a trailer nor a chunk's extension nor a target may be longer than a head."""
    with server.wire() as wire:
        wire.send(begun)
        for _ in range(40):
            wire.try_to_send(b"x" * 16_384)
        assert wire.answer().status in {400, 431}
        assert wire.is_ended()


def test_empty_lines_before_a_request_are_bounded(server: Server) -> None:
    """RFC 9112 §2.2 lets some pass; a stream of them is refused."""
    with server.wire() as wire:
        assert wire.ask(b"\r\n\r\n" + GET).status == 200
    with server.wire() as wire:
        wire.try_to_send(b"\r\n" * 50_000)
        assert refused(wire.answer(), 431)


def test_half_a_head_is_408_in_time(hasty: Server) -> None:
    """Byte by byte or not at all: the whole head has its time from its first byte."""
    with hasty.wire() as wire:
        assert refused(wire.ask(b"GET /a HTTP/1.1\r\nHost: "), 408)
        assert wire.is_ended()
    with hasty.wire() as wire:
        began = time.monotonic()
        wire.send(b"GET /a HTTP/1.1\r\nX: ")
        while not wire.is_answered(seconds=0.02):
            wire.try_to_send(b"y")
            assert time.monotonic() - began < 5
        assert refused(wire.answer(), 408)
    with hasty.wire() as wire:
        assert wire.ask(GET).status == 200
        assert refused(wire.ask(GET[:-1]), 408)


def test_a_head_that_comes_in_time_is_answered_whatever_its_pieces(server: Server) -> None:
    """Requests cut anywhere are the same requests."""
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


def test_silence_before_the_first_byte_ends_and_after_an_answer_lasts(hasty: Server) -> None:
    """Who says nothing is closed without a word; a kept connection is not."""
    with hasty.wire() as kept:
        assert kept.ask(GET).status == 200
        with hasty.wire() as silent:
            assert silent.is_ended()
        assert kept.ask(GET).status == 200


# Trailers.


def test_trailers_are_not_headers(server: Server) -> None:
    """Neither of their own request nor of the next one (contract §1)."""
    body = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\n\r\n"
    with server.wire() as wire:
        for answer in (wire.ask(POST + body), wire.ask(POST + b"Content-Length: 0\r\n\r\n")):
            assert answer.status == 200
            assert "authorization" not in dict(answer.json["headers"])


# The pipe.


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    """More than fit into the pipe, sent at once: each gets its answer, none is lost."""
    with server.wire() as wire:
        wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(500)))
        assert [wire.answer().json["path"] for _ in range(500)] == [f"/{n}" for n in range(500)]


class Paper(asyncio.Transport):
    """A transport that only says whether it reads."""

    is_reading_now = True

    def pause_reading(self) -> None:
        """Remember it."""
        self.is_reading_now = False

    def resume_reading(self) -> None:
        """Remember it."""
        self.is_reading_now = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """To nobody."""

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """There is nothing to close."""


def test_no_more_requests_are_taken_up_than_fit_into_the_pipe() -> None:
    """Sixteen, the one that is being answered included; the rest waits unparsed, and nothing is read."""
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
        transport = Paper()
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


def test_unread_answers_cost_no_memory_for_long(server: Server) -> None:
    """20 MB of pipelined GETs whose answers nobody reads: little memory, and it comes back."""
    before = server.memory()
    with server.wire() as wire:
        wire.sock.setblocking(False)
        data, sent = GET * 10_000, 0
        while sent < 20 * MIB and wire.is_taken(seconds=1):
            sent += wire.sock.send(data)
        assert server.get("/a").status == 200
        assert server.memory() - before < 16 * MIB
    assert wait_until(lambda: server.memory() - before < 8 * MIB, seconds=10)


def test_an_answer_that_nobody_takes_is_given_up(hasty: Server) -> None:
    """A client that does not read is closed, and holds neither task nor memory."""
    with hasty.wire() as wire:
        wire.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 40)
        assert hasty.has_read(wire)
        assert wait_until(lambda: not hasty.has(wire), seconds=10)
        got = 0
        try:
            while part := wire.sock.recv(1 << 20):
                got += len(part)
        except ConnectionError:
            pass
        assert got < 39_000_000


def test_what_was_asked_before_nonsense_is_answered(server: Server) -> None:
    """Then it ends."""
    with server.wire() as wire:
        wire.send(HELD + GET + b"nonsense\r\n\r\n")
        assert server.has_read(wire)
        assert server.get("/go").status == 200
        assert [wire.answer().status for _ in range(2)] == [200, 200]
        assert wire.is_ended()
    with server.wire() as wire:
        assert refused(wire.ask(b"nonsense\r\n\r\n"), 400)
        assert wire.is_ended()


# Answers before the body.


def early(path: bytes, *, size: int, more: bytes = b"") -> bytes:
    """The head of a POST that is answered before its body is read."""
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (path, more, size)


@pytest.mark.parametrize("path", [b"/early", b"/early-close"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_an_answer_before_the_body_arrives(server: Server, path: bytes, more: bytes) -> None:
    """Though 8 MB follow it, of which nobody read a byte; what does not say close goes on."""
    for _ in range(10):
        with server.wire() as wire:
            wire.send(early(path, size=8 * MIB, more=more), b"x" * (8 * MIB))
            assert wire.answer().json == {"detail": "early"}
            if path == b"/early" and not more:
                assert wire.ask(GET).status == 200
            else:
                assert wire.is_ended()


def test_it_arrives_when_the_body_is_chunked(server: Server) -> None:
    """A chunked body has no length to trust; its end is found all the same."""
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.wire() as wire:
        wire.send(head, *([b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 100), b"0\r\n\r\n")
        assert wire.answer().status == 401
        assert wire.ask(GET).status == 200


def test_dropping_has_an_end(hasty: Server) -> None:
    """Neither a body that never ends nor one that never comes holds the connection."""
    with hasty.wire() as wire:
        assert wire.ask(early(b"/early", size=1 << 40)).status == 401
        since = time.monotonic()
        assert wire.is_ended()
        assert time.monotonic() - since < 5
    with hasty.wire() as wire:
        wire.send(early(b"/early", size=1 << 40))
        sent = 0
        try:
            for _ in range(200):
                wire.send(b"x" * MIB)
                sent += 1
        except OSError:
            pass
        assert sent < 100


def test_a_body_that_was_not_asked_for_is_not_needed(server: Server) -> None:
    """`Expect: 100-continue`: an early answer comes alone, without `100 Continue`, and ends it."""
    more = b"Expect: 100-continue\r\n"
    with server.wire() as wire:
        answer = wire.ask(early(b"/early", size=5, more=more))
        assert answer.status == 401
        assert answer.headers["connection"] == "close"
        assert wire.is_ended(seconds=2)
    with server.wire() as wire:
        wire.send(early(b"/body", size=5, more=more))
        assert wire.stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        wire.stream.readline()
        assert wire.ask(b"hello").json["body"] == "hello"
        assert wire.ask(GET).status == 200
    with server.wire() as wire:  # sent without waiting: there is nothing to ask for
        assert wire.ask(early(b"/early", size=5, more=more) + b"hello").status == 401


def test_a_client_that_goes_in_the_middle_of_its_body_is_noticed(server: Server) -> None:
    """Its app hears of it; so it does if the body breaks the protocol, which is 400."""
    before = server.get("/seen").json["disconnects"]
    with server.wire() as wire:
        wire.send(POST + b"Content-Length: 5\r\n\r\nhe")
    with server.wire() as wire:
        wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        assert server.has_read(wire)
        assert refused(wire.ask(b"zzz\r\n"), 400)
    assert wait_until(lambda: server.get("/seen").json["disconnects"] == before + 2, seconds=10)


@pytest.mark.parametrize("chunk", [0, 6, 65_536])
def test_a_body_that_nobody_reads_yet_waits_in_the_kernel(server: Server, chunk: int) -> None:
    """However fast it comes and however it is cut; then all of it is read."""
    before = server.memory()
    with server.wire() as wire, ThreadPoolExecutor(1) as pool:
        head = b"POST /late HTTP/1.1\r\nHost: x\r\n"
        data = b"x" * MIB
        if chunk:
            piece = b"%x\r\n%b\r\n" % (chunk, b"x" * chunk)
            data = piece * (MIB // len(piece))
        length = b"Transfer-Encoding: chunked" if chunk else b"Content-Length: %d" % (12 * MIB)
        end = b"0\r\n\r\n" if chunk else b""
        sending = pool.submit(wire.send, head + length + b"\r\n\r\n", *([data] * 12), end)
        assert wait_until(lambda: server.unread(wire) > 0, seconds=10)
        most = server.memory()
        assert server.get("/go").status == 200
        while wait([sending], timeout=0.01).not_done:
            most = max(most, server.memory())
        assert wire.answer().json["body"] == "x" * 100
        assert most - before < 8 * MIB


def test_a_body_in_tiny_chunks_lets_others_have_their_turn() -> None:
    """43,000 chunks in one read are parsed in turns; what is behind them is not forgotten."""

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
        protocol.connection_made(Paper())
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


# Upgrades.


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"foo"])
def test_an_upgrade_to_what_is_not_spoken_here_is_a_request_like_any(
    server: Server, upgrade: bytes
) -> None:
    """With its body, wherever the packets end; nothing of it becomes a request of its own."""
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
    """We are no proxy."""
    with server.wire() as wire:
        assert refused(wire.ask(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"), 405)


# Crowds.


def test_a_crowd_is_told_and_logged(tmp_path: Path) -> None:
    """Whoever comes when descriptors run out gets 503 and a log line says so; who is in goes on."""
    with served(tmp_path, OVER_CAPACITY_SECONDS=20) as server:
        import resource

        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        inside = [server.wire() for _ in range(112)]
        with server.wire() as late:
            assert refused(late.ask(GET), 503)
        assert [wire.ask(GET).status for wire in inside[:100]] == [200] * 100
        more = [Wire(server.port) for _ in range(100)]
        assert inside[0].ask(GET).status == 200
        for wire in (*inside, *more):
            wire.close()
        assert wait_until(lambda: is_served(server), seconds=10)
        assert "no room for more" in server.log.read_text()


def is_served(server: Server) -> bool:
    """Whether somebody who comes now is answered."""
    try:
        return server.get("/a").status == 200
    except OSError:
        return False


PIECES = (
    GET,
    POST + b"Content-Length: 5\r\n\r\nhello",
    early(b"/early", size=100_000) + b"y" * 100_000,
    POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 4_000 + b"0\r\nA: b\r\n\r\n",
    b"POST /early-close HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    early(b"/early", size=5, more=b"Expect: 100-continue\r\n"),
    b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /a HTTP/1.0\r\n\r\n",
    b"GET /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n" * 20,
    b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET * HTTP/1.1\r\n\r\nGET /\xff HTTP/1.1\r\n\r\n",
    b"x" * 70_000,
)


def noise(chance: random.Random) -> bytes:
    """A few requests, some of them damaged."""
    data = bytearray(b"".join(chance.choices(PIECES, k=chance.randint(1, 6))))
    for _ in range(chance.choice((0, 0, 1, 3))):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 9)] = chance.choice(
            (b"", b"\0", b"\r\n\r\n", b": ", b"\xff")
        )
    return bytes(data)


def test_whatever_comes_leaves_nothing_behind(hasty: Server) -> None:
    """Requests of every kind, damaged, cut and dropped anywhere: no traceback, no connection, no memory."""
    before = hasty.memory()

    def talk(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(30):
            with Wire(hasty.port, seconds=0.05) as wire, suppress(OSError):
                data, at = noise(chance), 0
                while at < len(data):
                    size = chance.choice((17, 5_000, len(data)))
                    wire.send(data[at : at + size])
                    at += size
                    if chance.random() < 0.1:
                        wire.sock.recv(1 << 20)
                    if chance.random() < 0.02:
                        break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(talk, range(4)))
    assert hasty.get("/a").status == 200
    process = psutil.Process(hasty.process.pid)
    assert wait_until(lambda: len(process.net_connections()) == 1, seconds=20)
    assert "Traceback" not in hasty.log.read_text()
    assert hasty.memory() - before < 24 * MIB


def test_ends_in_the_middle_of_the_pipe_are_no_faults_of_ours(server: Server) -> None:
    """Nonsense behind an answer, an answer that closes before others, a client that has gone: no traceback."""
    with server.wire() as wire:  # what comes behind an answer that closes
        assert wire.ask(early(b"/early", size=5, more=b"Expect: 100-continue\r\n")).status == 401
        wire.try_to_send(b"nonsense\r\n\r\n")
        assert wire.is_ended()
    with server.wire() as wire:  # requests behind an answer that closes, and nonsense behind them
        assert wire.ask(early(b"/early-close", size=0) + GET + b"nonsense\r\n\r\n").status == 401
        assert wire.is_ended()
    with server.wire() as wire:  # several are waiting when the client goes
        wire.send(HELD + GET)
        assert server.has_read(wire)
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert wait_until(lambda: not server.has(wire), seconds=10)
    assert server.get("/go").status == 200
    assert server.is_at_rest()
    assert "Traceback" not in server.log.read_text()
