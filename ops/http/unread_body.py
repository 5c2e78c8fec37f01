"""Answers that an app gives before it has read the body of its request. Used by `protocol.py`.

Such a body is read and dropped, before and after the answer, so that the answer reaches the client (contract §0,
Early answers; docs/decisions/0019-budgets-of-a-connection.md).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

DROPPED_BYTES = 32 * 1024 * 1024  # of a body that nobody wants (contract §0, Early answers),
DROPPED_SECONDS = 5.0  # in this time, half of it before the answer
PAUSE_SECONDS = 0.5  # a client that sends nothing for so long waits for the answer


class UnreadBody:
    """Takes the place of `send` of a request whose body is still coming.

    An app that answers before it has read the body does not want it. Made before the app begins, for requests whose
    body did not come with their head and for those that expect `100 Continue`.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self.dropped_bytes = 0
        self.is_expecting = cycle.waiting_for_100_continue
        """Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1)."""
        self._cycle = cycle
        self._send = cycle.send
        cycle.send = self.send  # type: ignore[method-assign]

    async def send(self, message: Any) -> None:
        """Send a message of the app's answer; what is coming of the body is read first, while it comes.

        Go's server, and with it Caddy, resets a client whose body it did not pass on, whatever we do afterwards.
        If the client was not asked for its body, the answer ends the connection: the client may send the body
        all the same, or not, and only an end tells the two apart.
        """
        cycle = self._cycle
        if cycle.waiting_for_100_continue:
            if cycle.more_body:
                cycle.keep_alive = False
        elif cycle.more_body and not cycle.response_started:
            await self._drop_body()
        await self._send(message)
        if cycle.response_complete or cycle.disconnected:
            vars(cycle).pop("send", None)  # or the two would hold each other in memory

    async def _drop_body(self) -> None:
        cycle, loop = self._cycle, asyncio.get_running_loop()
        end = loop.time() + DROPPED_SECONDS / 2
        while cycle.more_body and not cycle.disconnected:
            if loop.time() > end or self.dropped_bytes > DROPPED_BYTES:
                break
            self.dropped_bytes += len(cycle.body)
            cycle.body.clear()
            cycle.message_event.clear()
            cycle.flow.resume_reading()
            patience = min(PAUSE_SECONDS, end - loop.time())
            timer = loop.call_later(patience, cycle.message_event.set)
            await cycle.message_event.wait()
            timer.cancel()
            if not cycle.body:  # nothing came: the client waits for the answer
                return
        cycle.body.clear()
