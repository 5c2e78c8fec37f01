"""Bodies that the app has not read: early answers reach the client, and what nobody reads takes no memory."""

import asyncio
import gc
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from ops.http import unread_body
from ops.http.protocol import HttpProtocol
from ops.local.polling import wait_until
from tests.ops.http.app import Server
from tests.ops.http.requests import GET, MIB, POST, FakeTransport, early_post, is_refusal


@pytest.mark.parametrize("path", [b"/early", b"/early-close"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_an_answer_before_the_body_reaches_the_client(
    server: Server, path: bytes, more: bytes
) -> None:
    """An answer that is given before 8 MB of body were read reaches the client, and the connection goes on unless somebody said close."""
    for _ in range(10):
        with server.wire() as wire:
            wire.send(early_post(path, size=8 * MIB, more=more), b"x" * (8 * MIB))
            assert wire.answer().json == {"detail": "early"}
            if path == b"/early" and not more:
                assert wire.ask(GET).status == 200
            else:
                assert wire.is_ended()


def test_an_answer_before_a_chunked_body_reaches_the_client(server: Server) -> None:
    """A body in chunks has no length to trust; after an early answer its end is found all the same."""
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.wire() as wire:
        wire.send(head, *([b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 100), b"0\r\n\r\n")
        assert wire.answer().status == 401
        assert wire.ask(GET).status == 200


def test_a_body_that_nobody_wants_is_not_dropped_for_ever(hasty: Server) -> None:
    """After an early answer neither a body that never ends nor one that never comes holds the connection."""
    with hasty.wire() as wire:
        assert wire.ask(early_post(b"/early", size=1 << 40)).status == 401
        since = time.monotonic()
        assert wire.is_ended()
        assert time.monotonic() - since < 5
    with hasty.wire() as wire:
        wire.send(early_post(b"/early", size=1 << 40))
        sent = 0
        try:
            for _ in range(200):
                wire.send(b"x" * MIB)
                sent += 1
        except OSError:
            pass
        assert sent < 100


def test_an_early_answer_does_not_ask_for_the_body(server: Server) -> None:
    """With `Expect: 100-continue` an early answer comes without `100 Continue`, and ends the connection."""
    more = b"Expect: 100-continue\r\n"
    with server.wire() as wire:
        answer = wire.ask(early_post(b"/early", size=5, more=more))
        assert answer.status == 401
        assert answer.headers["connection"] == "close"
        assert wire.is_ended(seconds=2)
    with server.wire() as wire:
        wire.send(early_post(b"/body", size=5, more=more))
        assert wire.stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        wire.stream.readline()
        assert wire.ask(b"hello").json["body"] == "hello"
        assert wire.ask(GET).status == 200
    with server.wire() as wire:  # sent without waiting: there is nothing to ask for
        assert wire.ask(early_post(b"/early", size=5, more=more) + b"hello").status == 401


def test_a_client_that_goes_in_the_middle_of_its_body_is_noticed(server: Server) -> None:
    """The app hears of a client that goes in the middle of its body, and of one whose body breaks the protocol, which is answered 400."""
    before = server.get("/seen").json["disconnects"]
    with server.wire() as wire:
        wire.send(POST + b"Content-Length: 5\r\n\r\nhe")
    with server.wire() as wire:
        wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        assert server.has_read(wire)
        assert is_refusal(wire.ask(b"zzz\r\n"), 400)
    assert wait_until(lambda: server.get("/seen").json["disconnects"] == before + 2, seconds=10)


@pytest.mark.parametrize("chunk", [0, 6, 65_536])
def test_a_body_that_nobody_reads_yet_waits_in_the_kernel(server: Server, chunk: int) -> None:
    """A body that the app does not read yet takes little memory, however fast it comes and however it is cut; then all of it is read."""
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


def test_an_answered_request_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that was answered before its body was read is let go of without the garbage collector's help."""
    monkeypatch.setattr(unread_body, "PAUSE_SECONDS", 0.001)
    cycles: list[weakref.ref[Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def story() -> None:
        config = Config(app, ws="none", log_config=None)
        config.load()
        protocol = HttpProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(FakeTransport())
        for request in (POST + b"Content-Length: 5\r\n\r\nhe", b"llo" + GET):
            protocol.data_received(request)
            cycles.append(weakref.ref(protocol.cycle))
            while protocol.tasks:  # noqa: ASYNC110 (turns of the loop)
                await asyncio.sleep(0)
        assert cycles[0]() is None
        protocol.connection_lost(None)

    gc.disable()
    try:
        asyncio.run(story())
    finally:
        gc.enable()
