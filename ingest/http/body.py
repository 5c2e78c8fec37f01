"""Reading a request's body: all of it, within a size and a time (contract §0, Errors)."""

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator, Mapping
from typing import Any

from starlette.types import Message, Receive

from storage.model.errors import TooLarge, TooSlow

# More digits than any length; int() of thousands of them is slow, then refused.
_DIGITS = 15
# A longer one is made sense of in a thread: megabytes of it would hold the others up.
LONG = 256 * 1024


async def read(
    receive: Receive, headers: Mapping[bytes, bytes], *, limit: int, seconds: float
) -> bytes:
    """The whole body. Raises TooLarge before reading past `limit` bytes, TooSlow after `seconds`."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > _DIGITS or int(declared) > limit):
        raise _too_large(limit)
    reading = _received(receive, limit)
    # Begun by hand: nearly every body is there already, and needs no timer.
    try:
        waits_for = reading.send(None)
    except StopIteration as done:
        body: bytes = done.value
        return body
    return await _in_time(_resumed(reading, waits_for), seconds)


async def _in_time(reading: Awaitable[bytes], seconds: float) -> bytes:
    # Not asyncio.timeout: it costs more, and nearly no body needs it.
    loop = asyncio.get_running_loop()
    reader, is_late = asyncio.current_task(loop), False

    def give_up() -> None:
        nonlocal is_late
        is_late = reader is not None and reader.cancel()

    timer = loop.call_later(seconds, give_up)
    try:
        return await reading
    except asyncio.CancelledError:
        # Ours, unless somebody else has cancelled the request as well.
        if not is_late or reader is None or reader.uncancel() > 0:
            raise
        raise TooSlow("The body did not arrive in time.") from None
    finally:
        timer.cancel()


@types.coroutine
def _resumed(reading: Coroutine[Any, Any, bytes], waits_for: Any) -> Generator[Any, Any, bytes]:
    """The result of a coroutine that has been begun, and waits for `waits_for`."""
    try:
        while True:
            try:
                answer = yield waits_for
            except BaseException as error:  # noqa: BLE001 (passed on: a cancellation, mostly)
                waits_for = reading.throw(error)
            else:
                waits_for = reading.send(answer)
    except StopIteration as done:
        body: bytes = done.value
        return body


async def _received(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message["body"] if "body" in message else _part(message)
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
