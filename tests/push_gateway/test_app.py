"""A gateway process: whom it disconnects, how it ends, what it says of itself."""

import json
import resource
import time

import psutil

from ops.local.polling import wait_until
from storage.valkey.bus import Bus
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import Gateway, to_all, token
from tests.push_gateway.wire import open_raw_socket


def test_disabling_a_person_closes_their_sockets(gateway: Gateway, bus: Bus) -> None:
    """The sockets of a person who is disabled are closed with 4500, after which clients do not come back."""
    client = gateway.connect(45)
    bus.disable(45, at_ms=int(time.time() * 1000))
    assert client.close_code() == 4500
    bus.enable(45)


def test_a_disabled_person_whose_disconnect_was_lost_goes_all_the_same(
    gateway: Gateway, bus: Bus
) -> None:
    """The sockets of a disabled person are closed though the bus has no Disconnect of theirs, as after a wipe."""
    disabled, other = gateway.connect(46), gateway.connect(62)  # of one shard
    bus.restore_disabled([46])
    assert disabled.close_code() == 4500
    other.ping()
    bus.enable(46)


def test_a_gateway_opens_as_many_sockets_as_it_may(launch: Launch) -> None:
    """A gateway raises its soft limit of open files (1,024 nearly everywhere) to the hard one."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
    try:
        gateway = launch()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    assert gateway.process is not None
    assert psutil.Process(gateway.process.pid).rlimit(psutil.RLIMIT_NOFILE) == (most, most)


def test_too_large_a_message_is_1009(gateway: Gateway) -> None:
    """More than 64 KiB in one message from a client closes its socket with 1009."""
    client = gateway.connect(62)
    client.socket.send("x" * 65_536)
    client.ping()
    client.socket.send("x" * 65_537)
    assert client.close_code() == 1009


def test_what_clients_say_is_ignored_but_answered(gateway: Gateway) -> None:
    """Text `ping` is answered `pong`, also in fragments, a WebSocket ping by a pong; other messages do nothing."""
    client = gateway.connect(63)
    for message in ("hello", b"\x00", "pong", "", "ping "):
        client.socket.send(message)
    client.ping()
    assert client.socket.ping().wait(10)
    client.socket.send(["pi", "ng"])  # a fragmented one
    assert client.socket.recv(timeout=10) == "pong"


def test_a_silent_client_is_closed(launch: Launch) -> None:
    """A client that sends nothing for CARILLON_PUSH_SILENCE_SECONDS, not even a pong, is closed."""
    gateway = launch(CARILLON_PUSH_SILENCE_SECONDS="1")
    raw = open_raw_socket(gateway.port, token(64), receive_bytes=65_536)
    raw.settimeout(10)
    received = b""
    while chunk := raw.recv(4096):
        received += chunk
    raw.close()
    assert b"silent" in received


def test_sigterm_tells_every_socket_1012_and_ends(launch: Launch) -> None:
    """On SIGTERM every socket is closed with 1012, and the process has gone within 10 seconds, even with a client that is stuck."""
    gateway = launch()
    clients = [gateway.connect(user_id) for user_id in range(1, 21)]
    stuck = open_raw_socket(gateway.port, token(66), receive_bytes=4096)
    began = time.monotonic()
    assert gateway.process is not None
    gateway.process.terminate()
    assert [client.close_code() for client in clients] == [1012] * 20
    gateway.process.wait(10)
    assert time.monotonic() - began < 10
    stuck.close()


def test_a_gateway_has_the_bus_trimmed_and_tells_its_size(gateway: Gateway, bus: Bus) -> None:
    """Every gateway tends the bus, whether or not anything is written; /metrics has the bytes that it had last."""
    bus.publish([to_all(9_000, [3])])
    assert wait_until(lambda: gateway.metric("carillon_bus_bytes") > 0, seconds=10)


def test_metrics_say_what_happened(gateway: Gateway) -> None:
    """/metrics has the gauges and counters of issue 6, and no label with an id."""
    text = gateway.get("/metrics")[1]
    for name in (
        "carillon_sockets_open",
        "carillon_frames_total",
        "carillon_socket_closes_total",
        "carillon_socket_resumes_total",
        "carillon_resync_frames_total",
        "carillon_socket_buffered_bytes",
        "carillon_published_to_frame_seconds_bucket",
        "carillon_accepted_to_frame_seconds_bucket",
    ):
        assert name in text
    assert "user" not in text
    assert json.loads(gateway.get("/healthz")[1]) == {"status": "ok"}
