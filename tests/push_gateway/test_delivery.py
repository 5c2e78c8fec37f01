"""Events on real sockets: who gets what, what a bad client costs, what damage to the bus does."""

import json
import resource
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.model.event import ConversationRead, MessageRecalled
from storage.valkey.bus import Bus
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import PATH, Gateway, to_all, to_both, token, wait_for
from tests.push_gateway.wire import PING, PONG, TEXT, frame, shake_hands


def test_a_private_message_goes_to_every_device_of_both(gateway: Gateway, bus: Bus) -> None:
    """Both people's devices get it once, each with the other as its conversation; nobody else does."""
    mine, mine_too, theirs, other = (gateway.connect(user) for user in (1, 1, 2, 3))
    bus.publish([to_both(10, 1, 2), to_all(11, [3])])
    for device, conversation in ((mine, 2), (mine_too, 2), (theirs, 1)):
        frame = device.frame()
        assert frame["data"]["id"] == 10
        assert frame["data"]["conversation_id"] == conversation
        device.ping()  # nothing else came before it
    assert other.ids(1) == [11]


def test_a_broadcast_reaches_everyone_connected_once(gateway: Gateway, bus: Bus) -> None:
    """A chunk of thousands is one frame for each who is here, published twice or not."""
    clients = [gateway.connect(user_id) for user_id in range(100, 150)]
    event = to_all(12, range(100, 5000))
    bus.publish([event, event])
    bus.publish([event])
    for client in clients:
        assert client.ids(1) == [12]
        client.ping()


def test_read_state_and_recalls_are_pushed(gateway: Gateway, bus: Bus) -> None:
    """CONVERSATION_READ goes to its reader alone, MESSAGE_RECALLED to all who had the message."""
    reader, other = gateway.connect(1), gateway.connect(2)
    bus.publish([ConversationRead(1, 2, 10, 0), MessageRecalled(10, ((1, (2,)), (2, (1,))))])
    assert [frame["type"] for frame in reader.frames(2)] == [
        "CONVERSATION_READ",
        "MESSAGE_RECALLED",
    ]
    assert other.frame()["data"] == {"id": 10, "conversation_id": 1}


def test_who_comes_back_gets_what_they_missed_then_what_is_new(gateway: Gateway, bus: Bus) -> None:
    """`since` replays in order, then live, without gap or repeat (contract §5)."""
    client = gateway.connect(5)
    bus.publish([to_both(20, 1, 5)])
    pos = client.frame()["pos"]
    client.close()
    bus.publish([to_both(number, 1, 5) for number in range(21, 24)])
    back = gateway.connect(5, since=pos)
    bus.publish([to_both(24, 1, 5)])
    assert back.ids(4) == [21, 22, 23, 24]
    back.ping()


def test_the_position_of_another_person_is_told_to_resync(gateway: Gateway, bus: Bus) -> None:
    """Also of one on the same shard: RESYNC, then live events, and the new position is good."""
    theirs = gateway.connect(7)
    bus.publish([to_both(40, 1, 7), to_both(41, 1, 23)])
    pos = theirs.frame()["pos"]
    me = gateway.connect(23, since=pos)
    assert me.frame()["type"] == "RESYNC"
    bus.publish([to_both(42, 1, 23)])
    assert me.ids(1) == [42]


def test_what_was_recalled_meanwhile_is_not_replayed(launch: Launch, bus: Bus) -> None:
    """Neither the gateway that told of it nor a new process sends the text of a recalled message or broadcast."""
    first = launch()
    client = first.connect(37)
    bus.publish([to_both(50, 1, 37)])
    pos = client.frame()["pos"]
    bus.publish([to_both(51, 1, 37), to_all(52, [37, 53], part=3), to_both(53, 1, 37)])
    bus.publish(
        [
            MessageRecalled(51, ((1, (37,)), (37, (1,)))),
            MessageRecalled(52, ((-7, (37, 53)),), part=3),
            MessageRecalled(50, ((1, (37,)), (37, (1,)))),
        ]
    )
    for gateway in (first, launch()):
        back = gateway.connect(37, since=pos)
        told = [(frame["type"], frame["data"]["id"]) for frame in back.frames(2)]
        assert told == [("NEW_MESSAGE", 53), ("MESSAGE_RECALLED", 50)]
        back.ping()


def test_who_comes_back_to_a_new_process_misses_nothing(launch: Launch, bus: Bus) -> None:
    """Positions outlive the gateway: a killed one is replaced and replays what was published meanwhile."""
    first = launch()
    client = first.connect(5)
    bus.publish([to_both(30, 1, 5)])
    pos = client.frame()["pos"]
    first.kill()
    bus.publish([to_both(31, 1, 5)])
    back = launch().connect(5, since=pos)
    assert back.ids(1) == [31]


def test_an_unknown_position_is_told_to_resync_and_can_resume_from_there(
    gateway: Gateway, bus: Bus
) -> None:
    """RESYNC carries a position of its own, so that the next return is exact again."""
    client = gateway.connect(5, since="nonsense")
    frame = client.frame()
    assert frame["type"] == "RESYNC"
    client.close()
    bus.publish([to_both(40, 1, 5)])
    back = gateway.connect(5, since=frame["pos"])
    assert back.ids(1) == [40]


def test_disabling_a_person_closes_their_sockets(gateway: Gateway, bus: Bus) -> None:
    """4500: do not come back."""
    client = gateway.connect(45)
    bus.disable(45, at_ms=int(time.time() * 1000))
    assert client.close_code() == 4500
    bus.enable(45)


def test_a_disabled_person_whose_disconnect_was_lost_goes_all_the_same(
    gateway: Gateway, bus: Bus
) -> None:
    """As after a wipe of the bus: the record brings back who is disabled, not that it happened."""
    disabled, other = gateway.connect(46), gateway.connect(62)  # of one shard
    bus.restore_disabled([46])
    assert disabled.close_code() == 4500
    other.ping()
    bus.enable(46)


def test_a_wipe_of_the_bus_is_told_to_everyone(
    gateway: Gateway, bus: Bus, control: redis.Redis
) -> None:
    """After FLUSHALL every socket gets one RESYNC and live events go on (fault row 10)."""
    clients = [gateway.connect(user_id) for user_id in (50, 51)]
    control.flushall()
    for client in clients:
        assert client.frame()["type"] == "RESYNC"
    bus.publish([to_both(51, 50, 51)])
    for client in clients:
        assert client.ids(1) == [51]
        client.ping()


def test_a_cut_feed_loses_nothing_and_tells_nobody(
    gateway: Gateway, bus: Bus, control: redis.Redis
) -> None:
    """CLIENT KILL of the feed under a stream of events: all arrive, in order, no RESYNC (row 26)."""
    client = gateway.connect(52)
    failures = gateway.metric("carillon_feed_failures_total")
    for number in range(100, 200):
        if number % 20 == 0:
            control.client_kill_filter(_type="normal", skipme=True)
        bus_of(bus, number)
    assert client.ids(100) == list(range(100, 200))
    client.ping()
    assert gateway.metric("carillon_feed_failures_total") > failures


def bus_of(bus: Bus, number: int) -> None:
    """Publish one message to 52, again if the publisher's own connection was cut."""
    for _ in range(5):
        try:
            bus.publish([to_both(number, 1, 52)])
        except Exception:  # noqa: BLE001 (the connection was cut: that is the point)
            continue
        return
    raise AssertionError("could not publish")


def test_a_restart_of_valkey_is_told_to_everyone(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """A killed Valkey may have lost events: RESYNC to all, once, and live again (fault row 8)."""
    client = gateway.connect(53)
    valkey.kill()
    valkey.start()
    assert client.frame()["type"] == "RESYNC"
    wait_for(gateway.is_ready)
    bus_of_53 = to_both(60, 1, 53)
    try:
        bus.publish([bus_of_53])
    except Exception:  # noqa: BLE001 (a pooled connection of before)
        bus.publish([bus_of_53])
    assert client.ids(1) == [60]


def raw_socket(gateway: Gateway, user_id: int, *, receive_bytes: int) -> socket.socket:
    """A client that shakes hands by hand, so that it can stop reading."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.connect(("127.0.0.1", gateway.port))
    raw.sendall(
        f"GET /api/v1/ws/messages?token={token(user_id)} HTTP/1.1\r\nHost: x\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert raw.recv(4096).startswith(b"HTTP/1.1 101")
    return raw


def test_a_slow_reader_is_closed_and_nobody_waits_for_it(
    launch: Launch, bus: Bus, request: pytest.FixtureRequest
) -> None:
    """Over 1 MiB unread: gone (4408), while others get everything; its memory is bounded (row 25)."""
    gateway = launch()
    stuck = raw_socket(gateway, 60, receive_bytes=4096)
    request.addfinalizer(stuck.close)
    lively = gateway.connect(61)
    wait_for(lambda: gateway.metric("carillon_sockets_open") == 2)
    for number in range(0, 5000, 50):
        bus.publish([to_all(number + offset, [60, 61]) for offset in range(50)])
        # Reads along: all of them at the end are more than 1 MiB, and it would be a slow reader too.
        assert lively.ids(50) == list(range(number, number + 50))
    wait_for(lambda: gateway.metric("carillon_sockets_open") == 1)
    assert 'carillon_socket_closes_total{code="4408"} 1.0' in gateway.get("/metrics")[1]


def test_a_gateway_opens_as_many_sockets_as_it_may(launch: Launch) -> None:
    """Not as few as the limit it was started with, 1,024 nearly everywhere."""
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
    """Text `ping` is answered `pong`, a WebSocket ping by a pong; other messages do nothing."""
    client = gateway.connect(63)
    for message in ("hello", b"\x00", "pong", "", "ping "):
        client.socket.send(message)
    client.ping()
    assert client.socket.ping().wait(10)
    client.socket.send(["pi", "ng"])  # a fragmented one
    assert client.socket.recv(timeout=10) == "pong"


def test_a_silent_client_is_closed(launch: Launch) -> None:
    """Nothing heard for CARILLON_PUSH_SILENCE_SECONDS, not even a pong: closed."""
    gateway = launch(CARILLON_PUSH_SILENCE_SECONDS="1")
    raw = raw_socket(gateway, 64, receive_bytes=65_536)
    raw.settimeout(10)
    received = b""
    while chunk := raw.recv(4096):
        received += chunk
    raw.close()
    assert b"silent" in received


def test_sigterm_tells_every_socket_1012_and_ends(launch: Launch) -> None:
    """Drain: 1012 to all, the process gone within 10 seconds, even with a client that is stuck."""
    gateway = launch()
    clients = [gateway.connect(user_id) for user_id in range(1, 21)]
    stuck = raw_socket(gateway, 66, receive_bytes=4096)
    began = time.monotonic()
    assert gateway.process is not None
    gateway.process.terminate()
    assert [client.close_code() for client in clients] == [1012] * 20
    gateway.process.wait(10)
    assert time.monotonic() - began < 10
    stuck.close()


def test_a_gateway_has_the_bus_trimmed_and_tells_its_size(gateway: Gateway, bus: Bus) -> None:
    """Every gateway tends the bus, whoever writes: /metrics has the bytes that the last tending left."""
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


def test_two_workers_on_one_port_push_each_frame_once(launch: Launch, bus: Bus) -> None:
    """`--workers 2`: each process has its own feed, and every socket gets every frame exactly once."""
    gateway = launch("--workers", "2", "--no-access-log")
    clients = {user_id: gateway.connect(user_id) for user_id in range(100, 140)}
    bus.publish([to_all(900_001, clients), to_all(900_002, clients)])
    bus.publish([to_both(900_003, 100, 139)])
    for user_id, client in clients.items():
        own = [900_003] if user_id in (100, 139) else []
        assert client.ids(2 + len(own)) == [900_001, 900_002, *own]
        client.ping()  # nothing else came before the answer
    gateway.part()
    gateway.stop()  # in good order: whoever kills the first process leaves the other two behind


def test_over_tls_nothing_goes_past_the_encryption(
    valkey: EmbeddedValkey, bus: Bus, tmp_path: Path
) -> None:
    """Where uvicorn itself speaks TLS, frames must not be given to the kernel as they are.

    The client reads and writes in one thread: websockets.sync has two on one SSLSocket, which now and
    then loses what is written (cpython issue 77271).
    """
    context = certified(tmp_path)
    given = (
        "--ssl-keyfile",
        str(tmp_path / "key.pem"),
        "--ssl-certfile",
        str(tmp_path / "cert.pem"),
    )
    server = Gateway(valkey.url, tmp_path / "tls.log", {}, given).launch()
    try:
        wait_for(lambda: answers(server.port))
        peer = shake_hands(server.port, f"{PATH}?token={token(2)}", tls=context)
        with peer.sock, peer.stream:
            bus.publish([to_both(number, 1, 2) for number in range(30, 35)])
            while len(peer.got) < 5 and peer.read() is not None:
                pass
            peer.write(frame(TEXT, b"ping"))
            peer.read()
            bus.publish([to_both(35, 1, 2)])
            peer.read()
    finally:
        server.kill()
    said = [payload.decode() for opcode, payload in peer.got if opcode == TEXT]
    assert said.pop(5) == "pong"
    assert [json.loads(one)["data"]["id"] for one in said] == [30, 31, 32, 33, 34, 35]


def test_what_the_kernel_has_no_room_for_follows_in_order(gateway: Gateway, bus: Bus) -> None:
    """A client that reads nothing for a while gets every frame and every pong, whole and in order."""
    peer = shake_hands(gateway.port, f"{PATH}?token={token(6)}", receive_bytes=4096)
    with peer.sock, peer.stream:
        wait_for(lambda: gateway.metric("carillon_sockets_open") > 0)
        for start in range(1000, 2000, 100):
            bus.publish([to_both(number, 1, 6) for number in range(start, start + 100)])
            peer.write(frame(PING, b"%d" % start))
        wait_for(lambda: gateway.metric("carillon_socket_buffered_bytes") > 0)
        while len(peer.got) < 1010 and peer.read() is not None:
            pass
    told = [json.loads(payload)["data"]["id"] for opcode, payload in peer.got if opcode == TEXT]
    pongs = [int(payload) for opcode, payload in peer.got if opcode == PONG]
    assert told == list(range(1000, 2000))
    assert pongs == list(range(1000, 2000, 100))


def answers(port: int) -> bool:
    """Whether anyone listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certified(folder: Path) -> ssl.SSLContext:
    """A key and a certificate for 127.0.0.1 in `folder`; a client's context that trusts just it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return ssl.create_default_context(cafile=folder / "cert.pem")
