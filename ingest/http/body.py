"""Reading a request's body: all of it, within a size and a time (contract §0, Errors)."""

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from storage.model.errors import TooLarge, TooSlow

# More digits than any length; int() of thousands of them is slow, then refused.
_DIGITS = 15
# A longer body is parsed in a thread: megabytes of it would hold up every other request.
PARSED_IN_THREAD_BYTES = 256 * 1024


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], *, limit: int, seconds: float
) -> bytes:
    """The whole body of a request; `headers` have lower-case names.

    Raises TooLarge before more than `limit` bytes are read, TooSlow when the body is not there after `seconds` or
    the client goes away before its end.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > _DIGITS or int(declared) > limit):
        raise _too_large(limit)
    # Not asyncio.timeout: nearly every body is there already, and a bare timer costs a third (docs/performance.md).
    loop = asyncio.get_running_loop()
    reader = asyncio.current_task(loop)
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = reader is not None and reader.cancel()

    timer = loop.call_later(seconds, give_up)
    try:
        return await _receive_all(receive, limit)
    except asyncio.CancelledError:
        # The timer's own, unless somebody else has cancelled the request as well.
        if not is_late or reader is None or reader.uncancel() > 0:
            raise
        raise TooSlow("The body did not arrive in time.") from None
    finally:
        timer.cancel()


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
