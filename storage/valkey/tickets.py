"""One-time tickets, both ends: a sign-on ticket for an app, a ticket that opens a socket (contract §5, §6).

Called by ingest, which issues both and redeems sign-on tickets, and by push_gateway, which redeems socket tickets. A
ticket is a Valkey key that holds the user's id. Only a digest of the ticket is stored, so that nobody who can read
Valkey has tickets.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.setting_parsers import duration
from storage.settings import ValkeySettings, setting
from storage.valkey.connection import make_async_client, translate_valkey_errors

# 32 bytes: not to be guessed within any lifetime (RFC 6749 §10.10 asks for 2^-128).
_TICKET_BYTES = 32


@dataclass(frozen=True, slots=True)
class TicketSettings:
    """How long tickets live."""

    sign_on: timedelta = setting(
        "CARILLON_SSO_TICKET_SECONDS",
        timedelta(seconds=60),
        parse=duration(1, 3600),
        help="A sign-on ticket that is not redeemed by then is worthless.",
    )
    socket: timedelta = setting(
        "CARILLON_SOCKET_TICKET_SECONDS",
        timedelta(seconds=30),
        parse=duration(1, 3600),
        help="A socket ticket that is not used by then is worthless.",
    )


@dataclass(frozen=True, slots=True)
class SocketTicket:
    """Whom a redeemed ticket lets in, and when that person's token ends."""

    user_id: int
    expires_at: datetime


class Tickets:
    """Issues tickets and redeems them, in Valkey. Every method raises TransientError when Valkey does not answer.

    A ticket works at most once: if the answer to redeeming it is lost, it is spent. It ends after its lifetime by
    Valkey's clock, and when Valkey loses its data.
    """

    def __init__(self, valkey_settings: ValkeySettings, ticket_settings: TicketSettings) -> None:
        self._valkey = make_async_client(valkey_settings)
        self._settings = ticket_settings

    async def issue_sign_on(self, user_id: int, *, app_id: int) -> str:
        """Make a ticket by which the app with this integer id learns who has come."""
        ticket = secrets.token_urlsafe(_TICKET_BYTES)
        await self._put(
            _sign_on_key(ticket, app_id=app_id), str(user_id), lifetime=self._settings.sign_on
        )
        return ticket

    async def redeem_sign_on(self, ticket: str, *, app_id: int) -> int | None:
        """Spend a ticket of this app: the person's id, or None if it is no live ticket of the app.

        Another app's attempt does not spend the ticket: the app is part of the key.
        """
        user_id = await self._take(_sign_on_key(ticket, app_id=app_id))
        return None if user_id is None else int(user_id)

    async def issue_socket(self, user_id: int, *, expires_at: datetime) -> str:
        """Make a ticket that opens one socket for this person, which may stay open until `expires_at`.

        `expires_at` is the end of the token that the ticket was asked for with: its sockets do not outlive it.
        """
        ticket = secrets.token_urlsafe(_TICKET_BYTES)
        value = f"{user_id} {expires_at.timestamp()}"
        await self._put(_socket_key(ticket), value, lifetime=self._settings.socket)
        return ticket

    async def redeem_socket(self, ticket: str) -> SocketTicket | None:
        """Spend a socket ticket: whom it lets in and until when, or None if it is no live ticket."""
        value = await self._take(_socket_key(ticket))
        if value is None:
            return None
        user_id, _, expires_at = value.partition(" ")
        return SocketTicket(int(user_id), datetime.fromtimestamp(float(expires_at), UTC))

    async def close(self) -> None:
        """Close every connection."""
        await self._valkey.aclose()

    async def _put(self, key: str, value: str, *, lifetime: timedelta) -> None:
        with translate_valkey_errors():
            await self._valkey.set(key, value, px=lifetime)

    async def _take(self, key: str) -> str | None:
        with translate_valkey_errors():
            value = await self._valkey.getdel(key)
        return value.decode() if isinstance(value, bytes) else value


ALL_TICKETS = "carillon:ticket:*"  # the names of both kinds


def _sign_on_key(ticket: str, *, app_id: int) -> str:
    return f"carillon:ticket:sign-on:{app_id}:{_digest(ticket)}"


def _socket_key(ticket: str) -> str:
    return f"carillon:ticket:socket:{_digest(ticket)}"


def _digest(ticket: str) -> str:
    # A caller may send any text as a ticket, a lone surrogate included.
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()
