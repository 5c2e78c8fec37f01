"""Whether the stack can listen at an address: the reason why not is the true one."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ops.local import listening
from ops.local.listening import PortTaken, check_address
from ops.local.ports import find_free_port
from storage.model.errors import InvalidSettings

pytestmark = pytest.mark.quick


@contextmanager
def listen(host: str, *, family: int = socket.AF_INET) -> Iterator[int]:
    """A port of `host` on which this process listens."""
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_is_free() -> None:
    """A port that nobody has can be listened on at every kind of address."""
    for host in ("127.0.0.1", "0.0.0.0", "localhost", "::1", "::"):
        check_address(host, find_free_port())


def test_who_has_the_port_is_named() -> None:
    """A taken port is refused with the process that has it, and another port that is free."""
    for host in ("127.0.0.1", "0.0.0.0"):
        with listen(host) as port, pytest.raises(PortTaken) as refused:
            check_address("127.0.0.1", port)
        assert f"(process {os.getpid()})" in refused.value.detail
        other = refused.value.detail.partition("CARILLON_PORT=")[2].removesuffix(".")
        check_address("127.0.0.1", int(other))


def test_a_port_of_another_address_is_not_taken() -> None:
    """Who listens at another address, or at IPv6 alone, is not in the way."""
    with listen("127.0.0.2") as port:
        check_address("127.0.0.1", port)
        with pytest.raises(PortTaken):
            check_address("0.0.0.0", port)
    with listen("0.0.0.0") as port:
        check_address("::", port)


def test_an_address_of_another_machine_is_named_as_such() -> None:
    """An address that this machine does not have is refused with those that it has."""
    with pytest.raises(InvalidSettings, match=r"192\.0\.2\.77 is not an address .* 127\.0\.0\.1"):
        check_address("192.0.2.77", find_free_port())


def test_an_unknown_host_name_is_named_as_such() -> None:
    """A host name that does not exist is no taken port."""
    with pytest.raises(InvalidSettings, match=r"CARILLON_HOST=no\.such\.invalid: .*name"):
        check_address("no.such.invalid", find_free_port())


def test_who_cannot_be_known_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system does not say whose process it is, the sentence says so and how to find out."""
    monkeypatch.setattr(listening, "find_listener", lambda *_: None)
    with (
        listen("127.0.0.1") as port,
        pytest.raises(PortTaken, match=r"that we cannot see .*`ss -ltnp"),
    ):
        check_address("127.0.0.1", port)
