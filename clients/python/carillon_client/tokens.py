"""How a person's calls carry their token, and how a refused one is replaced: once a request, one caller at a time."""

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import httpx

from carillon_client.errors import SignedOutError

TokenFunction = Callable[[], str | None]
AsyncTokenFunction = Callable[[], str | Awaitable[str | None] | None]
_UNAUTHORIZED = 401


class TokenSource:
    """A token that never changes, or a function that is asked for the first one and whenever one was refused."""

    def __init__(self, given: str | TokenFunction) -> None:
        self._ask = None if isinstance(given, str) else given
        self._token = given if isinstance(given, str) else None
        self._lock = threading.Lock()

    def take(self, refused: str | None = None) -> str:
        """A token that is not `refused`; the same one again if there is no other. Raises SignedOutError for None."""
        with self._lock:
            if self._ask is not None and self._token == refused:
                self._token = self._ask()
            return _check(self._token)


class AsyncTokenSource:
    """As TokenSource; the function may be a coroutine function."""

    def __init__(self, given: str | AsyncTokenFunction) -> None:
        self._ask = None if isinstance(given, str) else given
        self._token = given if isinstance(given, str) else None
        self._lock = asyncio.Lock()

    async def take(self, refused: str | None = None) -> str:
        """A token that is not `refused`; the same one again if there is no other. Raises SignedOutError for None."""
        async with self._lock:
            if self._ask is not None and self._token == refused:
                asked = self._ask()
                self._token = await asked if inspect.isawaitable(asked) else asked
            return _check(self._token)


class TokenAuth(httpx.Auth):
    """Puts the token on every request of an httpx client; after a 401 another one, once."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token; httpx calls this for every one."""
        token = self._source.take()
        response = yield _put(request, token)
        if response.status_code == _UNAUTHORIZED:
            another = self._source.take(refused=token)
            if another != token:
                yield _put(request, another)


class AsyncTokenAuth(httpx.Auth):
    """As TokenAuth, for an httpx.AsyncClient."""

    def __init__(self, source: AsyncTokenSource) -> None:
        self._source = source

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token; httpx calls this for every one."""
        token = await self._source.take()
        response = yield _put(request, token)
        if response.status_code == _UNAUTHORIZED:
            another = await self._source.take(refused=token)
            if another != token:
                yield _put(request, another)


def _put(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _check(token: str | None) -> str:
    if token is None:
        raise SignedOutError("The token function gave no token.", code="SIGNED_OUT")
    return token
