"""Whether the stack can listen at an address, asked before anything is started; and if not, why, and what to do.

The address is tried as uvicorn would take it. Nothing is kept open.
"""

import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from ops.local.ports import is_port_free
from storage.model.errors import InConflict, InvalidSettings

# In the command line of the process that serves a stack's port (`ops/local/stack.py`).
OWN_SERVER = "ops.local.single_port:create_app"
_EVERYWHERE = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Listener:
    """The process that listens on a port. `is_ours`: it serves a stack of Carillon, whose data folder is `folder`, if that can be known."""

    pid: int
    name: str
    is_ours: bool
    folder: str | None = None


class PortTaken(InConflict):
    """Somebody listens there already. `listener` is None if the system does not say who: a process of another user."""

    def __init__(self, host: str, port: int, listener: Listener | None) -> None:
        super().__init__(
            f"Port {port} of {host} is taken by {_describe(listener, port)}. "
            f"Stop that one, or choose another port: CARILLON_PORT={_find_other_port(host, port)}."
        )
        self.listener = listener


def check_address(host: str, port: int) -> None:
    """Return if one could listen on `host`:`port` now (connections in TIME_WAIT do not count).

    Raises PortTaken if somebody listens there, and InvalidSettings, which names the setting, if it cannot work.
    """
    for family, address in _resolve(host, port):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    # As the event loop sets it: `::` is IPv6 alone.
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(host, port, find_listener(str(address[0]), port)) from error
            raise InvalidSettings(_explain(error, host, port)) from error


def find_listener(address: str, port: int) -> Listener | None:
    """The process that keeps `port` of `address` from others; None if the system does not tell."""
    try:
        found = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    for one in found:
        ip, taken = one.laddr or ("", 0)
        is_in_the_way = address in _EVERYWHERE or ip in {address, *_EVERYWHERE}
        if one.status == psutil.CONN_LISTEN and taken == port and is_in_the_way and one.pid:
            return _look_at(one.pid)
    return None


def _look_at(pid: int) -> Listener | None:
    try:
        process = psutil.Process(pid)
        is_ours = OWN_SERVER in process.cmdline()
        folder = process.environ().get("CARILLON_DATA_DIR") if is_ours else None
        return Listener(pid, process.name(), is_ours, folder)
    except (psutil.Error, OSError):
        return None


def _resolve(host: str, port: int) -> list[tuple[int, Any]]:
    """The addresses that `host` stands for, each once, with its family. Raises InvalidSettings if it stands for none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        is_away = getattr(error, "errno", None) == socket.EAI_AGAIN
        why = "the name server does not answer" if is_away else "there is no such host name"
        raise InvalidSettings(
            f"CARILLON_HOST={host}: {why}. It is an address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for everybody."
        ) from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return (
            f"CARILLON_PORT={port}: this user may not listen below port {_find_first_open_port()}. Choose a port from there on, "
            "and let a proxy stand in front of it."
        )
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return (
            f"CARILLON_HOST={host} is not an address of this machine, which has {', '.join(list_addresses())}. "
            "0.0.0.0 is all of them."
        )
    return f"CARILLON_HOST={host}, CARILLON_PORT={port}: {error.strerror}."


def _describe(listener: Listener | None, port: int) -> str:
    if listener is None:
        whose = "a program of another user, or" if os.geteuid() else "a program"
        return f"{whose} in a container that we cannot see (`ss -ltnp sport = :{port}` as root may name it)"
    if listener.is_ours:
        where = f", which runs on {listener.folder}" if listener.folder else ""
        return f"another Carillon{where} (process {listener.pid})"
    return f"{listener.name} (process {listener.pid})"


def _find_other_port(host: str, port: int) -> int:
    near = range(port + 1, min(port + 100, 1 << 16))
    return next((one for one in near if is_port_free(one, host)), 8000)


def _find_first_open_port() -> int:
    """The first port that a process without privileges may listen on."""
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:  # noqa: PTH123 (no file)
            return int(file.read())
    except (OSError, ValueError):
        return 1024


def list_addresses() -> Iterator[str]:
    """The addresses of this machine; not those that mean something on one network card only (IPv6 link-local)."""
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family in {socket.AF_INET, socket.AF_INET6} and "%" not in one.address:
                yield one.address
