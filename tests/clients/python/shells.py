"""Both shells of the SDK behind one blocking interface: a claim is written once, and holds for both.

The asynchronous clients run on an event loop of their own, which goes on in a thread, so that a socket lives between two
calls as it does in a program.
"""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

from carillon_client import AppClient, AsyncAppClient, AsyncPersonClient, PersonClient

ANSWER_SECONDS = 60.0


class Loop:
    """An event loop in a thread, until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaitable: Any) -> Any:
        """The result of an awaitable."""

        async def wait() -> Any:
            return await awaitable

        done: Future[Any] = asyncio.run_coroutine_threadsafe(wait(), self._loop)
        return done.result(ANSWER_SECONDS)

    def close(self) -> None:
        """Stop it, and wait for that."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Blocked:
    """An asynchronous object as if it were blocking: what is to be awaited is waited for."""

    def __init__(self, target: Any, loop: Loop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, {"close": "aclose"}.get(name, name))
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            timeout = options.pop("timeout", None)
            result = found(*arguments, **options)
            if inspect.isawaitable(result):
                return self._loop.run(asyncio.wait_for(result, timeout))
            return Blocked(result, self._loop) if hasattr(result, "__anext__") else result

        return call

    def __enter__(self) -> "Blocked":
        self._loop.run(self._target.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._target.__aexit__(None, None, None))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run(self._target.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


class Shell:
    """One of the two shells: opens clients, which are closed with it."""

    def __init__(self, name: str) -> None:
        self._stack = ExitStack()
        self._loop: Loop | None = None
        if name == "asynchronous":
            self._loop = Loop()
            self._stack.callback(self._loop.close)

    def app(self, *arguments: Any, **options: Any) -> Any:
        """A client of an app."""
        return self._open(AppClient if self._loop is None else AsyncAppClient, arguments, options)

    def person(self, *arguments: Any, **options: Any) -> Any:
        """A client of a person."""
        kind = PersonClient if self._loop is None else AsyncPersonClient
        return self._open(kind, arguments, options)

    def close(self) -> None:
        """Close what it opened."""
        self._stack.close()

    def _open(self, kind: Any, arguments: Any, options: Any) -> Any:
        client = kind(*arguments, **options)
        return self._stack.enter_context(
            client if self._loop is None else Blocked(client, self._loop)
        )
