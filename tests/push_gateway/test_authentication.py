"""What a handshake shows, and which pages may show it."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from push_gateway import authentication
from push_gateway.authentication import (
    Authenticator,
    Credential,
    Identity,
    check_origin,
    read_credential,
)
from storage.model.cross_origin import parse_origins
from storage.model.errors import NotAllowed, NotSignedIn
from storage.settings import ValkeySettings
from storage.valkey.strangers import Answers
from storage.valkey.tickets import Tickets, TicketSettings


@pytest.mark.parametrize(
    ("headers", "query", "subprotocols", "expected"),
    [
        ({"authorization": "Bearer a"}, {"token": "b"}, ["bearer", "c"], Credential(token="a")),
        ({"authorization": "bearer a"}, {}, [], Credential(token="a")),
        ({}, {"token": "b"}, ["bearer", "c"], Credential(token="c")),
        ({}, {"token": "b", "ticket": "d"}, ["chat"], Credential(token="b")),
        ({}, {"ticket": "d"}, [], Credential(ticket="d")),
        ({}, {"token": ""}, [], Credential(token="")),
        ({}, {}, ["bearer"], Credential(token="")),
    ],
)
def test_the_first_credential_counts(
    headers: dict[str, str], query: dict[str, str], subprotocols: list[str], expected: Credential
) -> None:
    """Header, subprotocol, token, ticket: the first that is there, even if it is bad."""
    assert read_credential(headers, query, subprotocols) == expected


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": ""}])
def test_without_a_credential_nobody_is_signed_in(headers: dict[str, str]) -> None:
    """Nothing at all, or a header of another scheme: NotSignedIn."""
    with pytest.raises(NotSignedIn):
        read_credential(headers, {}, [])


ALLOWED = parse_origins(("https://app.example.com", "http://localhost:*"))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "api.example.com"),
        ("https://app.example.com", "api.example.com"),
        ("http://localhost:5173", "api.example.com"),
        ("https://api.example.com", "api.example.com"),
        ("https://api.example.com", "API.example.com:443"),
        ("http://192.168.1.7:8000", "192.168.1.7:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_an_allowed_origin_may_open_a_socket(origin: str | None, host: str) -> None:
    """A listed origin, a page of the host that it connects to, or a client that is no browser."""
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    check_origin(headers, allowed=ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://app.example.com",
        "https://app.example.com.evil.test",
        "https://evil.test",
        "https://app.example.com:8443",
        "https://[",
        "https://app.example.com:x",
        "https://api.example.com:8443",
        "https://api.example.com.evil.test",
        "http://localhost.evil.test:5173",
        "\u4f8b",
    ],
)
def test_any_other_origin_may_not(origin: str) -> None:
    """Another scheme, host or port, `null` or nonsense: NotAllowed."""
    with pytest.raises(NotAllowed):
        check_origin({"host": "api.example.com", "origin": origin}, allowed=ALLOWED)


def test_a_ticket_opens_nothing_once_its_token_has_ended(valkey_url: str) -> None:
    """However young the ticket: who has it is as signed in as the token that it was made with."""
    now = 1_800_000_000.0

    async def redeemed(*, at: float) -> Identity:
        tickets = Tickets(ValkeySettings(valkey_url), TicketSettings())
        nothing: Any = None
        authenticator = Authenticator(nothing, tickets, nothing, nothing, clock=lambda: at)
        try:
            holder = Identity(80, datetime.fromtimestamp(now + 5, UTC))
            return await authenticator.identify(
                Credential(ticket=await authenticator.issue_ticket(holder))
            )
        finally:
            await tickets.close()

    assert asyncio.run(redeemed(at=now + 4)).user_id == 80
    with pytest.raises(NotSignedIn, match="expired"):
        asyncio.run(redeemed(at=now + 5))


class Bus:
    """A bus that takes a moment to say who is disabled; remembers who was asked for together."""

    def __init__(self) -> None:
        self.asked: list[set[int]] = []

    async def find_disabled(self, user_ids: Collection[int]) -> frozenset[int]:
        """Everyone past 1,000."""
        self.asked.append(set(user_ids))
        await asyncio.sleep(0)
        return frozenset(user_id for user_id in user_ids if user_id > 1000)


class People:
    """Everyone is somebody."""

    async def read_answers(self, user_ids: Collection[int]) -> Answers:
        """All of them."""
        return Answers(frozenset(user_ids), frozenset(), is_answered=True)


def test_a_rush_of_handshakes_is_looked_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first at once, the others with one look; each is judged by a look begun after it came."""
    monkeypatch.setattr(authentication, "LOOKUP_REST_SECONDS", 0.5)
    bus = Bus()
    nothing: Any = None
    authenticator = Authenticator(nothing, nothing, cast("Any", bus), cast("Any", People()))

    async def rush() -> None:
        first = asyncio.ensure_future(authenticator.check_enabled(1))
        while not bus.asked:  # noqa: ASYNC110 (turns of the loop, not time)
            await asyncio.sleep(0)
        rest = []
        for user in range(2, 100):
            rest.append(asyncio.ensure_future(authenticator.check_enabled(user)))
            await asyncio.sleep(0)  # so that a look at once would be one for each
        await asyncio.gather(first, *rest)
        with pytest.raises(NotSignedIn):
            await authenticator.check_enabled(1001)

    asyncio.run(rush())
    assert bus.asked == [{1}, set(range(2, 100)), {1001}]
