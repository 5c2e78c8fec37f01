"""Reading a request's body: all of it, within a size and a time (contract §0, Errors)."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.types import Message, Receive

from storage.model.errors import TooLarge, TooSlow

# More digits than any length; int() of thousands of them is slow, then refused.
_DIGITS = 15
# A longer body is parsed in a thread: megabytes of it would hold up every other request.
PARSED_IN_THREAD_BYTES = 256 * 1024


class BodyReader:
    """Reads the bodies of requests, each within its time.

    One timer watches over all bodies that are under way: nearly every body is there already, and a timer for each
    would cost more than reading it (docs/performance.md, Accepting).
    """

    def __init__(self, *, timeout: timedelta) -> None:
        """Make it in the event loop in which it works. `timeout`: how long a body may take."""
        # Kept: Python 3.11 asks the kernel for the process's id each time it is asked for the running loop.
        self._loop = asyncio.get_running_loop()
        self._seconds = timeout.total_seconds()
        # In the order in which they began, which is that of their deadlines.
        self._deadlines: dict[asyncio.Task[Any], float] = {}
        self._cancelled: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, receive: Receive, headers: Mapping[bytes, bytes], *, limit: int) -> bytes:
        """The whole body of a request; `headers` have lower-case names.

        Raises TooLarge before more than `limit` bytes are read, TooSlow when the body is not there in time or the
        client goes away before its end.
        """
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > _DIGITS or int(declared) > limit):
            raise _too_large(limit)
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("A body is read in a task of the loop that the reader was made in.")
        self._watch(task)
        try:
            return await _receive_all(receive, limit)
        except asyncio.CancelledError:
            # Ours, unless somebody else has cancelled the request as well.
            if task not in self._cancelled or task.uncancel() > 0:
                raise
            raise TooSlow("The body did not arrive in time.") from None
        finally:
            self._deadlines.pop(task, None)
            self._cancelled.discard(task)

    def _watch(self, task: "asyncio.Task[Any]") -> None:
        deadline = self._deadlines[task] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._cancel_late)

    def _cancel_late(self) -> None:
        self._timer = None
        for task, deadline in list(self._deadlines.items()):
            if deadline > self._loop.time():
                self._timer = self._loop.call_at(deadline, self._cancel_late)
                return
            del self._deadlines[task]
            self._cancelled.add(task)
            task.cancel()


async def _receive_all(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body = _part(message)
    if not message.get("more_body", False) and len(body) <= limit:
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False) and size <= limit:
        message = await receive()
        parts.append(_part(message))
        size += len(parts[-1])
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        # What came may look whole, and is not: the client had more to say (RFC 9112 §8).
        raise TooSlow("The body did not arrive.")
    part: bytes = message.get("body", b"")
    return part


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit} bytes.")
