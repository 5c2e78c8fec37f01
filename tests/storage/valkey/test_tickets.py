"""Tickets: each works once, for its own purpose and app, and not for long."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import redis

from storage.model.errors import TransientError
from storage.settings import ValkeySettings
from storage.valkey.tickets import SocketTicket, Tickets, TicketSettings
from tests.storage.valkey.server_clock import wait_for_clock

OA, CRM, PERSON = 101, 102, 2048
END = datetime(2030, 1, 1, 0, 0, 0, 500_000, UTC)


@asynccontextmanager
async def tickets(url: str, settings: TicketSettings | None = None) -> AsyncIterator[Tickets]:
    """Tickets that are closed at the end."""
    store = Tickets(ValkeySettings(url), settings or TicketSettings())
    try:
        yield store
    finally:
        await store.close()


def run(url: str, story: Callable[[Tickets], Awaitable[None]]) -> None:
    """Run one story with tickets in a loop of its own."""

    async def run() -> None:
        async with tickets(url) as store:
            await story(store)

    asyncio.run(run())


def test_a_sign_on_ticket_works_once(valkey_url: str) -> None:
    """The first redeeming gives the person, the second nothing (contract §6)."""

    async def story(store: Tickets) -> None:
        ticket = await store.issue_sign_on(PERSON, app_id=OA)
        assert await store.redeem_sign_on(ticket, app_id=OA) == PERSON
        assert await store.redeem_sign_on(ticket, app_id=OA) is None

    run(valkey_url, story)


def test_another_app_s_attempt_does_not_spend_a_ticket(valkey_url: str) -> None:
    """An app that tries another's ticket learns nothing, and the owner can still redeem it."""

    async def story(store: Tickets) -> None:
        ticket = await store.issue_sign_on(PERSON, app_id=OA)
        assert await store.redeem_sign_on(ticket, app_id=CRM) is None
        assert await store.redeem_sign_on(ticket, app_id=OA) == PERSON

    run(valkey_url, story)


def test_of_many_who_redeem_at_once_one_gets_the_person(valkey_url: str) -> None:
    """Fifty simultaneous redeemings of one ticket give the person exactly once."""

    async def story(store: Tickets) -> None:
        ticket = await store.issue_sign_on(PERSON, app_id=OA)
        answers = await asyncio.gather(
            *(store.redeem_sign_on(ticket, app_id=OA) for _ in range(50))
        )
        assert sorted(answer for answer in answers if answer is not None) == [PERSON]

    run(valkey_url, story)


def test_a_socket_ticket_works_once_and_opens_sockets_only(valkey_url: str) -> None:
    """A socket ticket is spent by its use, and the two kinds do not stand for each other."""

    async def story(store: Tickets) -> None:
        ticket = await store.issue_socket(PERSON, expires_at=END)
        assert await store.redeem_sign_on(ticket, app_id=OA) is None
        assert await store.redeem_socket(ticket) == SocketTicket(PERSON, END)
        assert await store.redeem_socket(ticket) is None
        assert await store.redeem_socket(await store.issue_sign_on(PERSON, app_id=OA)) is None

    run(valkey_url, story)


def test_every_ticket_is_another(valkey_url: str) -> None:
    """Two tickets for the same person and app differ, are long, and do not disturb each other."""

    async def story(store: Tickets) -> None:
        first = await store.issue_sign_on(PERSON, app_id=OA)
        second = await store.issue_sign_on(PERSON, app_id=OA)
        assert first != second
        assert min(len(first), len(second)) >= 43
        assert await store.redeem_sign_on(second, app_id=OA) == PERSON
        assert await store.redeem_sign_on(first, app_id=OA) == PERSON

    run(valkey_url, story)


@pytest.mark.parametrize("ticket", ["", "x", "*", "a:b", "\x00", "\ud800", "票", "x" * 100_000])
def test_any_text_can_be_tried(valkey_url: str, ticket: str) -> None:
    """Redeeming a text that is no ticket gives None and raises nothing."""

    async def story(store: Tickets) -> None:
        assert await store.redeem_sign_on(ticket, app_id=OA) is None
        assert await store.redeem_socket(ticket) is None

    run(valkey_url, story)


def test_tickets_live_as_long_as_the_settings_say(valkey_url: str) -> None:
    """Valkey ends a sign-on ticket after 60 s and a socket ticket after 30 s, by default."""
    client = redis.Redis.from_url(valkey_url)

    def lifetime(ticket: str) -> int:
        digest = hashlib.sha256(ticket.encode()).hexdigest()
        [key] = client.scan_iter(match=f"*{digest}", count=10_000)
        return int(client.pttl(key))

    async def story(store: Tickets) -> None:
        assert 50_000 < lifetime(await store.issue_sign_on(PERSON, app_id=OA)) <= 60_000
        assert 20_000 < lifetime(await store.issue_socket(PERSON, expires_at=END)) <= 30_000

    run(valkey_url, story)
    client.close()


def test_an_expired_ticket_is_worthless(valkey_url: str) -> None:
    """After its lifetime a ticket gives nothing."""

    async def story() -> None:
        settings = TicketSettings(sign_on=timedelta(milliseconds=1))
        async with tickets(valkey_url, settings) as store:
            ticket = await store.issue_sign_on(PERSON, app_id=OA)
            wait_for_clock(valkey_url, seconds=settings.sign_on.total_seconds())
            assert await store.redeem_sign_on(ticket, app_id=OA) is None

    asyncio.run(story())


def test_valkey_holds_no_ticket(valkey_url: str) -> None:
    """No key or value in Valkey is a ticket that works."""
    client = redis.Redis.from_url(valkey_url, decode_responses=True)

    async def story(store: Tickets) -> None:
        issued = [
            await store.issue_sign_on(PERSON, app_id=OA),
            await store.issue_socket(PERSON, expires_at=END),
        ]
        keys = [str(key) for key in client.scan_iter(match="carillon:ticket:*")]
        everything = keys + [str(client.get(key)) for key in keys]
        assert not [text for text in everything for ticket in issued if ticket in text]

    run(valkey_url, story)
    client.close()


def test_without_valkey_one_tries_later() -> None:
    """Without Valkey issuing and redeeming raise TransientError, within the timeout."""

    async def story(store: Tickets) -> None:
        async with asyncio.timeout(5):
            with pytest.raises(TransientError):
                await store.issue_socket(PERSON, expires_at=END)
            with pytest.raises(TransientError):
                await store.redeem_sign_on("x", app_id=OA)

    run("redis://127.0.0.1:1/0", story)


def test_a_frozen_valkey_is_asked_once_and_not_for_long() -> None:
    """A server that never answers is sent one command, and after one timeout the call raises TransientError."""
    received: list[bytes] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            received.append(data)
            # The handshake is answered, the redeeming is not.
            if b"GETDEL" not in data:
                writer.write(b"+OK\r\n" * data.count(b"*"))
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(deaf, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = ValkeySettings(f"redis://127.0.0.1:{port}/0", timedelta(milliseconds=200))
        store = Tickets(settings, TicketSettings())
        async with asyncio.timeout(5):
            with pytest.raises(TransientError):
                await store.redeem_socket("x")
        await store.close()
        server.close()
        assert b"".join(received).count(b"GETDEL") == 1

    asyncio.run(story())
