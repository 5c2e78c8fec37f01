"""Clients that do not read, and frames that the kernel has no room for."""

import json
import socket
from pathlib import Path

import pytest

from ops.local.embedded.valkey import EmbeddedValkey
from storage.valkey.bus import Bus
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import PATH, Gateway, to_all, to_both, token, wait_for
from tests.push_gateway.sockets.certificate import make_certificate
from tests.push_gateway.wire import PING, PONG, TEXT, frame, open_raw_socket, shake_hands


def test_a_slow_reader_is_closed_and_nobody_waits_for_it(
    launch: Launch, bus: Bus, request: pytest.FixtureRequest
) -> None:
    """A client that leaves over 1 MiB unread is closed with 4408, and others get everything meanwhile (fault row 25)."""
    gateway = launch()
    stuck = open_raw_socket(gateway.port, token(60), receive_bytes=4096)
    request.addfinalizer(stuck.close)
    lively = gateway.connect(61)
    wait_for(lambda: gateway.metric("carillon_sockets_open") == 2)
    for number in range(0, 5000, 50):
        bus.publish([to_all(number + offset, [60, 61]) for offset in range(50)])
        # Reads along: all of them at the end are more than 1 MiB, and it would be a slow reader too.
        assert lively.ids(50) == list(range(number, number + 50))
    wait_for(lambda: gateway.metric("carillon_sockets_open") == 1)
    assert 'carillon_socket_closes_total{code="4408"} 1.0' in gateway.get("/metrics")[1]


def test_what_the_kernel_has_no_room_for_follows_in_order(gateway: Gateway, bus: Bus) -> None:
    """A client that reads nothing for a while gets every frame and every pong, whole and in order."""
    peer = shake_hands(gateway.port, f"{PATH}?token={token(6)}", receive_bytes=4096)
    with peer.sock, peer.stream:
        wait_for(lambda: gateway.metric("carillon_sockets_open") > 0)
        for start in range(1000, 2000, 100):
            bus.publish([to_both(number, 1, 6) for number in range(start, start + 100)])
            peer.write(frame(PING, b"%d" % start))
        wait_for(lambda: gateway.metric("carillon_socket_buffered_bytes") > 0)
        while len(peer.got) < 1011 and peer.read() is not None:
            pass
    told = [json.loads(payload)["data"]["id"] for opcode, payload in peer.got[1:] if opcode == TEXT]
    pongs = [int(payload) for opcode, payload in peer.got if opcode == PONG]
    assert told == list(range(1000, 2000))
    assert pongs == list(range(1000, 2000, 100))


def test_over_tls_nothing_goes_past_the_encryption(
    valkey: EmbeddedValkey, bus: Bus, tmp_path: Path
) -> None:
    """Where uvicorn itself speaks TLS, frames are not given to the kernel as they are.

    The client reads and writes in one thread: websockets.sync has two on one SSLSocket, which now and then loses
    what is written (cpython issue 77271).
    """
    context = make_certificate(tmp_path)
    given = (
        "--ssl-keyfile",
        str(tmp_path / "key.pem"),
        "--ssl-certfile",
        str(tmp_path / "cert.pem"),
    )
    server = Gateway(valkey.url, tmp_path / "tls.log", {}, given).launch()
    try:
        wait_for(lambda: is_listening(server.port))
        peer = shake_hands(server.port, f"{PATH}?token={token(2)}", tls=context)
        with peer.sock, peer.stream:
            bus.publish([to_both(number, 1, 2) for number in range(30, 35)])
            while len(peer.got) < 6 and peer.read() is not None:
                pass
            peer.write(frame(TEXT, b"ping"))
            peer.read()
            bus.publish([to_both(35, 1, 2)])
            peer.read()
    finally:
        server.kill()
    said = [payload.decode() for opcode, payload in peer.got if opcode == TEXT]
    assert '"HELLO"' in said.pop(0)
    assert said.pop(5) == "pong"
    assert [json.loads(one)["data"]["id"] for one in said] == [30, 31, 32, 33, 34, 35]


def is_listening(port: int) -> bool:
    """Whether anyone listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
