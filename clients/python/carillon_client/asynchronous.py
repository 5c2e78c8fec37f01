"""The asynchronous driver: sends the requests of a call with an `httpx.AsyncClient`, and sleeps its pauses."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx

from carillon_client.errors import CarillonError
from carillon_client.exchange import Call, Item, Items, Pause, Request, Response, go_on
from carillon_client.transport import is_loopback, make_options, read_response, read_transport_error

T = TypeVar("T")


class AsyncDriver:
    """Runs calls on a connection pool of its own, or on the one that it is given, which it leaves open."""

    def __init__(
        self, url: str, auth: httpx.Auth, *, timeout: float, http: httpx.AsyncClient | None
    ) -> None:
        self._url = url
        self._auth = auth
        self._timeout = timeout
        self._is_own = http is None
        self._http = http or httpx.AsyncClient(trust_env=not is_loopback(url))

    async def aclose(self) -> None:
        """Close the pool if it is the driver's own."""
        if self._is_own:
            await self._http.aclose()

    async def run(self, call: Call[T]) -> T:
        """The result of a call."""
        answer: Response | CarillonError | None = None
        while True:
            try:
                step = go_on(call, answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer = await self._take(step)

    async def iterate(self, items: Items[T]) -> AsyncIterator[T]:
        """What an iterator's call gives; requests are made as it is asked for more."""
        answer: Response | CarillonError | None = None
        while True:
            try:
                step = go_on(items, answer)
            except StopIteration:
                return
            if isinstance(step, Item):
                answer = None
                yield step.value
            else:
                answer = await self._take(step)

    async def _take(self, step: Request | Pause) -> Response | CarillonError | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        options = make_options(step, url=self._url, auth=self._auth, timeout=self._timeout)
        try:
            return read_response(await self._http.request(**options))
        except httpx.HTTPError as error:
            return read_transport_error(error, url=options["url"])
