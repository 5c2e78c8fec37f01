"""Reading a body: whole, within its limit and its time, or refused."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.types import Message

from ingest.http.body import BodyReader
from storage.model.errors import TooLarge, TooSlow

FOR_EVER = 60.0


class Client:
    """What a client sends, message by message; after the last it is silent."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.is_waited_for = asyncio.Event()

    async def receive(self) -> Message:
        """The next message."""
        if not self.messages:
            self.is_waited_for.set()
            await asyncio.Event().wait()
        return self.messages.pop(0)


def part(body: bytes, *, more: bool = False) -> Message:
    """A message of a body; `more`: others follow."""
    return {"type": "http.request", "body": body, "more_body": more}


def read(
    *messages: Message, declared: bytes = b"", limit: int = 10, seconds: float = FOR_EVER
) -> bytes:
    """The body that these messages make."""
    headers = {b"content-length": declared} if declared else {}

    async def run() -> bytes:
        return await BodyReader(timeout=timedelta(seconds=seconds)).read(
            Client(*messages).receive, headers, limit=limit
        )

    return asyncio.run(run())


def test_parts_make_one_body() -> None:
    """A body that comes in several messages is their bytes in order, up to and with the limit."""
    assert read(part(b"1234567890")) == b"1234567890"
    assert read(part(b"123", more=True), part(b"", more=True), part(b"4567890")) == b"1234567890"
    assert read(part(b"")) == b""


@pytest.mark.parametrize("declared", [b"11", b"9" * 5000])
def test_a_body_declared_too_long_is_refused_unread(declared: bytes) -> None:
    """A Content-Length over the limit is TooLarge before anything is read, however long the number is."""
    with pytest.raises(TooLarge):
        read(declared=declared, seconds=0)


def test_a_body_that_is_too_long_is_refused_where_it_passes_the_limit() -> None:
    """Without a declared length, TooLarge comes with the first byte past the limit; the rest is not read."""
    with pytest.raises(TooLarge):
        read(part(b"12345678901"))
    with pytest.raises(TooLarge):
        read(part(b"123456", more=True), part(b"78901", more=True))


def test_a_body_that_stops_coming_is_too_slow() -> None:
    """A client that is silent in the middle of its body gets TooSlow after the time it has."""
    with pytest.raises(TooSlow):
        read(part(b"123", more=True), seconds=0.01)


def test_a_client_that_goes_away_has_sent_no_body() -> None:
    """What came before the connection ended may look whole, and is refused all the same."""
    with pytest.raises(TooSlow):
        read(part(b"{}", more=True), {"type": "http.disconnect"})


def ends_cancelled(cancel: Callable[[asyncio.Task[bytes]], object], *, seconds: float) -> bool:
    """Whether reading from a silent client ends as cancelled, after `cancel`."""

    async def run() -> bool:
        client = Client()
        task = asyncio.create_task(
            BodyReader(timeout=timedelta(seconds=seconds)).read(client.receive, {}, limit=10)
        )
        await client.is_waited_for.wait()
        cancel(task)
        await asyncio.wait([task])
        return task.cancelled()

    return asyncio.run(run())


def test_a_cancelled_request_stays_cancelled() -> None:
    """A cancellation that is not the timer's is passed on, also when the time is over in the same moment."""
    assert ends_cancelled(lambda task: task.cancel(), seconds=FOR_EVER)
    assert ends_cancelled(lambda task: (task.cancel(), task.cancel()), seconds=0)


def test_one_reader_watches_over_many_bodies() -> None:
    """Of many bodies under way with one reader, each that is late is refused, and each that is whole is not."""

    async def run() -> None:
        reader = BodyReader(timeout=timedelta(milliseconds=10))
        silent = [Client(part(b"1", more=True)) for _ in range(3)]
        for _ in range(2):  # a reader goes on after its timer has fired
            late = [asyncio.create_task(reader.read(one.receive, {}, limit=10)) for one in silent]
            whole = await reader.read(Client(part(b"12")).receive, {}, limit=10)
            outcomes = await asyncio.gather(*late, return_exceptions=True)
            assert whole == b"12" and all(isinstance(one, TooSlow) for one in outcomes)

    asyncio.run(run())
