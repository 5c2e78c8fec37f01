"""Connections to endpoints that apps chose, and to nothing they must not reach through us. Called by `endpoint_client.py`.

A name is resolved once, its addresses are judged, and one of those is connected to. Judging first and connecting by name
would resolve twice, and the second answer may be another one (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import Executor

import httpcore

from storage.model.networks import is_in_networks, is_public

# An app's endpoint may have some addresses that are down. Each is given its turn within the time of the call.
MOST_ADDRESSES = 4


class ForbiddenAddress(Exception):
    """The endpoint's name leads to no address that may be called."""


class NetworkGuard(httpcore.AsyncNetworkBackend):
    """Connects TCP to public addresses and to those in `allowed`; with `is_plain`, without TLS, just to the latter.

    TLS is begun by the caller with the URL's own name, so that certificates are checked against it and not against
    the address. `resolver` runs the look-ups: one that hangs keeps its thread for longer than the call has.
    """

    def __init__(self, *, allowed: tuple[str, ...], is_plain: bool, resolver: Executor) -> None:
        self._allowed = allowed
        self._is_plain = is_plain
        self._resolver = resolver
        self._sockets = httpcore.AnyIOBackend()
        self._opened: list[httpcore.AsyncNetworkStream] = []

    async def aclose(self) -> None:
        """Close what was connected: httpcore forgets a connection whose TLS handshake is cancelled. Safe to repeat."""
        for stream in self._opened:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that may be called and answers.

        Raises ForbiddenAddress if none may be, httpcore.ConnectError if there is none or none answers.
        """
        permitted = [
            found for found in await self._resolve(host, port) if self._is_permitted(found)
        ]
        if not permitted:
            raise ForbiddenAddress
        failure: Exception | None = None
        for address in permitted[:MOST_ADDRESSES]:
            try:
                stream = await self._sockets.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                self._opened.append(stream)
                return stream
        raise failure or httpcore.ConnectError("It has no address.")

    async def _resolve(self, host: str, port: int) -> list[str]:
        """The addresses of `host`, each once, in the system's order of preference."""
        look_up = asyncio.get_running_loop().run_in_executor
        try:
            found = await look_up(self._resolver, _look_up, host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The name is not known.") from error
        return list(dict.fromkeys(found))

    def _is_permitted(self, address: str) -> bool:
        if is_in_networks(address, self._allowed):
            return True
        return not self._is_plain and is_public(address)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for *_, address in found]
