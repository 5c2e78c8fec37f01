"""How Valkey is reached when it is away, silent, or has a malformed URL."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from storage.model.errors import InvalidSettings, TransientError
from storage.model.event import Disconnect
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.bus_reader import BusReader
from storage.valkey.bus_streams import BusSettings

EVENT = Disconnect(1, at_ms=1)


def test_without_valkey_every_call_raises_transient_error() -> None:
    """Publishing, trimming and connecting raise TransientError at once when nobody listens on the port."""
    away = ValkeySettings("redis://127.0.0.1:1")
    bus = Bus(BusSettings(), away)
    for call in (lambda: bus.publish([EVENT]), bus.trim):
        with pytest.raises(TransientError):
            call()
    with pytest.raises(TransientError):
        asyncio.run(BusReader(away).connect())


def test_a_malformed_url_is_an_invalid_setting() -> None:
    """A malformed URL raises InvalidSettings, which names the variable and does not quote the URL."""
    with pytest.raises(InvalidSettings, match="CARILLON_VALKEY_URL") as caught:
        Bus(BusSettings(), ValkeySettings("http://:hunter2@nowhere"))
    assert "hunter2" not in caught.value.detail


@contextlib.contextmanager
def run_swallowing_server() -> Iterator[tuple[int, list[bytes]]]:
    """A port that reads what is sent, and closes the connection without an answer."""
    taken: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    while b"XADD" not in (received := connection.recv(65536)):
                        connection.sendall(b"+OK\r\n" * received.count(b"\r\n$6\r\nCLIENT"))
                    taken.append(received)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], taken
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_write_whose_answer_is_lost_is_not_repeated() -> None:
    """A publisher sends a command once and raises TransientError when its answer is lost; the caller may repeat it."""
    with run_swallowing_server() as (port, taken):
        bus = Bus(BusSettings(), ValkeySettings(f"redis://127.0.0.1:{port}"))
        with pytest.raises(TransientError):
            bus.publish([EVENT])
        bus.close()
    assert len(taken) == 1
