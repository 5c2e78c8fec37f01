"""Calls of endpoints: what counts as taken, and what a server that lies, hangs or floods can do to us."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.push_gateway.sockets.certificate import make_certificate
from tests.workers.callbacks.endpoints import (
    OK,
    Behaviour,
    Reader,
    Writer,
    accept_and_hang,
    answer,
    answer_for_ever,
    read_request,
    serve,
)
from workers.callbacks.endpoint_client import CallResult, EndpointClient, Outcome

pytestmark = pytest.mark.quick

LOOPBACK = ("127.0.0.0/8",)


@contextmanager
def client(
    *, allowed: tuple[str, ...] = LOOPBACK, seconds: float = 10, tls: ssl.SSLContext | None = None
) -> Iterator[EndpointClient]:
    """A client that may call servers of the test."""
    made = EndpointClient(allowed=allowed, seconds=seconds, most_calls=4, tls=tls)
    try:
        yield made
    finally:
        made.close()


def call(url: str, **options: Any) -> CallResult:
    """What comes of one call."""
    with client(**options) as made:
        return asyncio.run(made.call(url, b"{}", {"webhook-id": "1"}))


def call_server(behave: Behaviour, *, seconds: float = 10) -> CallResult:
    """What comes of one call of a server that behaves like this."""
    with serve(behave) as port:
        return call(f"http://127.0.0.1:{port}/hook", seconds=seconds)


def test_an_endpoint_gets_the_body_and_the_headers() -> None:
    """A call is a POST of the bytes as they are, to the path and query of the URL, with the URL's own host."""
    seen: list[Any] = []

    async def note(reader: Reader, writer: Writer) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)

    with serve(note) as port, client() as made:
        url = f"http://localhost:{port}/hook?a=1"
        result = asyncio.run(made.call(url, "{“”}".encode(), {"webhook-id": "evt_1"}))
    assert result == CallResult(Outcome.TAKEN)
    [(first, headers, body)] = seen
    assert (first, body) == ("POST /hook?a=1 HTTP/1.1", "{“”}".encode())
    assert (headers["host"], headers["webhook-id"]) == (f"localhost:{port}", "evt_1")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_done(status: int) -> None:
    """Each status from 200 to 299 takes the event."""
    made = answer(f"HTTP/1.1 {status} Fine\r\ncontent-length: 0\r\n\r\n".encode())
    assert call_server(made).outcome is Outcome.TAKEN


def test_410_is_gone() -> None:
    """An endpoint that answers 410 wants no more events."""
    assert call_server(answer(b"HTTP/1.1 410 Gone\r\n\r\n")).outcome is Outcome.GONE


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    """Nothing is asked of the place that a redirect names."""
    followed: list[Any] = []

    async def note(reader: Reader, writer: Writer) -> None:
        followed.append(await read_request(reader))
        writer.write(OK)

    with serve(note) as target:
        head = f"HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{target}/\r\n\r\n"
        result = call_server(answer(head.encode()))
    assert result.outcome is Outcome.FAILED
    assert str(status) in result.error
    assert followed == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies that the process was started with would connect for us, to wherever they like: they are passed over."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert call_server(answer(OK)).outcome is Outcome.TAKEN


HEAD = b"HTTP/1.1 200 OK\r\n"
LYING: dict[str, tuple[Behaviour, Outcome]] = {
    "accepts and hangs": (accept_and_hang, Outcome.FAILED),
    "trickles its head": (answer_for_ever(b"H", pause=0.05), Outcome.FAILED),
    "trickles headers": (answer(HEAD, *[b"a: b\r\n"] * 1000, pause=0.05), Outcome.FAILED),
    "never ends its head": (answer_for_ever(b"a" * 65536), Outcome.FAILED),
    "sends 1xx for ever": (answer_for_ever(b"HTTP/1.1 103 Hints\r\n\r\n" * 99), Outcome.FAILED),
    "says nothing": (answer(), Outcome.FAILED),
    "speaks another protocol": (answer(b"220 smtp ready\r\n"), Outcome.FAILED),
    "fails": (answer(b"HTTP/1.1 500 Oops\r\n\r\n"), Outcome.FAILED),
    "trickles its body": (answer(HEAD + b"\r\n", *[b"a"] * 1000, pause=0.05), Outcome.TAKEN),
    "sends 10 MB": (answer(HEAD + b"content-length: 10000000\r\n\r\n", bytes(10**7)), Outcome.TAKEN),
    "sends a body for ever": (answer(HEAD + b"\r\n", *[bytes(65536)] * 9999), Outcome.TAKEN),
    "promises what never comes": (answer(HEAD + b"content-length: 9\r\n\r\n", pause=9), Outcome.TAKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", LYING)
def test_an_endpoint_that_misbehaves_costs_its_time_and_no_more(name: str) -> None:
    """Whatever a server sends or does not, the call ends about in time, and its status counts if it was there."""
    behave, outcome = LYING[name]
    started = time.monotonic()
    result = call_server(behave, seconds=0.5)
    assert result.outcome is outcome
    assert bool(result.error) is (outcome is Outcome.FAILED)
    # Without the limit each of them would go on for far longer, most for ever.
    assert time.monotonic() - started < 8


def test_of_a_long_answer_only_a_little_is_taken() -> None:
    """A server that sends 10 MB cannot send them: what the sockets hold is all, and the connection is closed."""
    sent = asyncio.Event()

    async def flood(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(HEAD + b"content-length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(bytes(100_000))
            await writer.drain()
        sent.set()

    with serve(flood) as port:
        assert call(f"http://127.0.0.1:{port}/").outcome is Outcome.TAKEN
    assert not sent.is_set()


def test_a_hanging_endpoint_delays_no_other() -> None:
    """While calls of a server hang, others made at the same time are answered: as many hang as are expected at once."""

    async def call_all(made: EndpointClient, bad: str, good: str) -> list[Outcome]:
        async with asyncio.TaskGroup() as group:
            hanging = [group.create_task(made.call(bad, b"{}", {})) for _ in range(4)]
            done = [await made.call(good, b"{}", {}) for _ in range(20)]
            assert not any(one.done() for one in hanging)
            for one in hanging:
                one.cancel()
        return [one.outcome for one in done]

    with (
        serve(accept_and_hang) as bad,
        serve(answer(OK)) as good,
        client(seconds=60) as made,
    ):
        urls = (f"http://127.0.0.1:{port}/" for port in (bad, good))
        assert asyncio.run(call_all(made, *urls)) == [Outcome.TAKEN] * 20


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", "http://", "https:///x"),
        *("http://user@127.0.0.1:{port}/", "http://user:pass@127.0.0.1:{port}/", "http://[::1/"),
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_a_url_of_another_form_is_not_called(url: str) -> None:
    """Only http and https, with a host and without a name and password, lead anywhere."""
    with serve(answer(OK)) as port:
        assert call(url.format(port=port)) == CallResult(
            Outcome.FAILED, "Its URL cannot be called."
        )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_addresses_of_our_own_network_are_not_called(host: str, scheme: str) -> None:
    """However loopback is written, no connection is made to it unless the operator has listed it."""
    connected: list[None] = []

    async def note(_reader: Reader, _writer: Writer) -> None:
        connected.append(None)

    with serve(note) as port:
        url = f"{scheme}://{host}:{port}/"
        result = call(url, allowed=("10.0.0.0/8",))
        assert result == CallResult(Outcome.FAILED, "Its address may not be called.")
    assert connected == []


def test_without_tls_only_listed_addresses_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Http goes to listed networks alone: a public address, too, is called with https only (contract §9)."""
    answer_look_ups(monkeypatch, ["93.184.216.34"])
    assert call("http://example.com/").error == "Its address may not be called."


def answer_look_ups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have the look-ups of names answered with these, the last one again and again; the hosts asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_changes_its_address_after_the_look_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name is looked up once a call, and what was judged is connected to (DNS rebinding)."""
    with serve(answer(OK)) as port:
        asked = answer_look_ups(monkeypatch, ["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"])
        url = f"http://app.example.com:{port}/"
        assert call(url, allowed=("127.0.0.1/32",)).outcome is Outcome.TAKEN
        assert asked == ["app.example.com"]
        assert call(url, allowed=("127.0.0.1/32",)).error == "Its address may not be called."
        assert asked == ["app.example.com"] * 2


def test_of_several_addresses_the_permitted_ones_are_tried_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that may not be called is passed over, and after one that is dead the next is tried."""
    with serve(answer(OK)) as port:
        answer_look_ups(monkeypatch, ["10.0.0.1", "127.0.0.2", "127.0.0.1"])
        assert call(f"http://a.example.com:{port}/").outcome is Outcome.TAKEN


def make_server_context(folder: Path) -> ssl.SSLContext:
    """The server's side of `make_certificate`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_tls_is_checked_against_the_urls_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is told the URL's name (SNI), its certificate has to be for it, and the address does not matter."""
    trusted = make_certificate(tmp_path, host="app.example.com")
    context, named = make_server_context(tmp_path), []
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with serve(answer(OK), tls=context) as port:
        answer_look_ups(monkeypatch, ["127.0.0.1"])
        assert call(f"https://app.example.com:{port}/", tls=trusted).outcome is Outcome.TAKEN
        other = call(f"https://other.example.com:{port}/", tls=trusted)
        assert other.outcome is Outcome.FAILED
        assert "certificate is not valid" in other.error
        assert named == ["app.example.com", "other.example.com"]


def test_bad_tls_is_a_failure(tmp_path: Path) -> None:
    """A certificate that nobody vouches for, and a server that speaks no TLS, take nothing and say why."""
    make_certificate(tmp_path)
    with serve(answer(OK), tls=make_server_context(tmp_path)) as port:
        unknown = call(f"https://127.0.0.1:{port}/")
    assert unknown.outcome is Outcome.FAILED
    assert "certificate" in unknown.error
    with serve(answer_for_ever(b"plain")) as port:
        plain = call(f"https://127.0.0.1:{port}/", seconds=2)
    assert plain.outcome is Outcome.FAILED


def test_a_handshake_that_hangs_leaves_no_connection_behind() -> None:
    """A server that accepts and never answers to TLS sees the connection end with the call: none is kept open."""
    ended = threading.Event()

    async def hang(reader: Reader, writer: Writer) -> None:
        await accept_and_hang(reader, writer)
        ended.set()

    async def call_and_stay(made: EndpointClient, url: str) -> None:
        assert (await made.call(url, b"{}", {})).outcome is Outcome.FAILED
        assert await asyncio.to_thread(ended.wait, 10)

    with serve(hang) as port, client(seconds=0.3) as made:
        asyncio.run(call_and_stay(made, f"https://127.0.0.1:{port}/"))


def test_what_is_not_there_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that nobody listens on and a name that is not known are failures, each with its words."""
    with serve(answer(OK)) as port:
        pass
    assert call(f"http://127.0.0.1:{port}/").error == "It refused the connection."

    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert call("https://nobody.example.com/").error == "Its name is not known."
