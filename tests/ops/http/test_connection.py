"""How connections begin and end, and what they leave behind."""

import random
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from ops.local.polling import wait_until
from tests.ops.http.app import Server, Wire, run_server
from tests.ops.http.requests import GET, HELD, MIB, POST, early_post, is_refusal


def test_a_client_that_says_nothing_is_closed_and_a_kept_connection_is_not(hasty: Server) -> None:
    """A client that says nothing is closed without a word; a connection that had its answer is kept."""
    with hasty.wire() as kept:
        assert kept.ask(GET).status == 200
        with hasty.wire() as silent:
            assert silent.is_ended()
        assert kept.ask(GET).status == 200


def test_unread_answers_cost_no_memory_for_long(server: Server) -> None:
    """20 MB of pipelined requests whose answers nobody reads take little memory, and it is given back."""
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
    """A client that does not take its answers is closed, and holds neither a task nor memory afterwards."""
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


def test_clients_over_capacity_are_answered_503_and_logged(tmp_path: Path) -> None:
    """A client that comes when descriptors run short gets 503 and a log line says so; those who are connected go on."""
    with run_server(tmp_path, OVER_CAPACITY_SECONDS=20) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        inside = [server.wire() for _ in range(112)]
        with server.wire() as late:
            assert is_refusal(late.ask(GET), 503)
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
    early_post(b"/early", size=100_000) + b"y" * 100_000,
    POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 4_000 + b"0\r\nA: b\r\n\r\n",
    b"POST /early-close HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    early_post(b"/early", size=5, more=b"Expect: 100-continue\r\n"),
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
    """Requests of every kind, damaged, cut and dropped anywhere, leave no traceback, no connection and no memory behind."""
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


def test_ends_in_the_middle_of_the_pipe_cause_no_traceback(server: Server) -> None:
    """Nonsense behind an answer, an answer that closes before others, and a client that has gone cause no traceback."""
    with server.wire() as wire:  # what comes behind an answer that closes
        assert (
            wire.ask(early_post(b"/early", size=5, more=b"Expect: 100-continue\r\n")).status == 401
        )
        wire.try_to_send(b"nonsense\r\n\r\n")
        assert wire.is_ended()
    with server.wire() as wire:  # requests behind an answer that closes, and nonsense behind them
        assert (
            wire.ask(early_post(b"/early-close", size=0) + GET + b"nonsense\r\n\r\n").status == 401
        )
        assert wire.is_ended()
    with server.wire() as wire:  # several are waiting when the client goes
        wire.send(HELD + GET)
        assert server.has_read(wire)
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert wait_until(lambda: not server.has(wire), seconds=10)
    assert server.get("/go").status == 200
    assert server.is_at_rest()
    assert "Traceback" not in server.log.read_text()
