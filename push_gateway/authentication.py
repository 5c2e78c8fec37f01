"""Who opens a socket: from the handshake to a person, or NotSignedIn (contract §5).

The gateway does not ask PostgreSQL: a valid token is a person, unless the bus says that they are disabled, or ingest
that there is no such person (`storage/valkey/strangers.py`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from storage.keys.tokens import EXPIRED, TokenVerifier
from storage.model.errors import NotAllowed, NotSignedIn
from storage.valkey.bus import AsyncBus
from storage.valkey.strangers import Met, Strangers
from storage.valkey.tickets import Tickets

SUBPROTOCOL = "bearer"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a handshake shows. Exactly one of the two is set."""

    token: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, and when what they showed ends: the token, or the one behind the ticket."""

    user_id: int
    expires_at: datetime


def read_credential(
    headers: Mapping[str, str], query: Mapping[str, str], subprotocols: Sequence[str]
) -> Credential:
    """The first that is there of: Authorization header, subprotocol, `token`, `ticket`.

    Raises NotSignedIn if there is none, so that a bad header is never saved by a good query.
    """
    if "authorization" in headers:
        return read_bearer_token(headers)
    if SUBPROTOCOL in subprotocols:
        others = [name for name in subprotocols if name != SUBPROTOCOL]
        return Credential(token=others[0] if others else "")
    if "token" in query:
        return Credential(token=query["token"])
    if "ticket" in query:
        return Credential(ticket=query["ticket"])
    raise NotSignedIn("A token is required.")


def read_bearer_token(headers: Mapping[str, str]) -> Credential:
    """The token of the Authorization header (RFC 6750 §2.1); NotSignedIn if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("The Authorization header must be a bearer token.")
    return Credential(token=token.strip())


def check_origin(origin: str | None, *, allowed: Sequence[str]) -> None:
    """Raises NotAllowed for a browser page of another origin (RFC 6455 §10.2).

    Nothing is checked if `allowed` is empty, nor for a client that is no browser and sends none.
    """
    if (
        allowed
        and origin is not None
        and _normalize_origin(origin) not in map(_normalize_origin, allowed)
    ):
        raise NotAllowed("This origin may not open sockets.")


MAX_REMEMBERED = 100_000  # people who are known to be somebody
NOBODY_NEW = Met(frozenset(), frozenset(), is_answered=False)
# Between two looks at who is disabled and who is somebody: a rush of handshakes is looked up together, a single
# one at once. Shorter rests cost a rush more: what a look costs hardly depends on how many it asks for.
REST_SECONDS = 0.02


class Authenticator:
    """Tells who is at the door, and turns away who is disabled."""

    def __init__(
        self,
        verifier: TokenVerifier,
        tickets: Tickets,
        bus: AsyncBus,
        strangers: Strangers,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._strangers = strangers
        self._somebody: set[int] = set()
        self._clock = clock
        self._verifier = verifier
        self._tickets = tickets
        self._bus = bus
        self._asked: set[int] = set()
        self._answer: asyncio.Task[tuple[frozenset[int], Met]] | None = None
        self._line = asyncio.Lock()
        self._rested_at = 0.0

    async def identify(self, shown: Credential) -> Identity:
        """The person; raises NotSignedIn, or TransientError when a ticket cannot be looked up."""
        if shown.ticket is None:
            verified = self._verifier.verify(shown.token or "")
            return Identity(verified.user_id, verified.expires_at)
        redeemed = await self._tickets.redeem_socket(shown.ticket)
        if redeemed is None:
            raise NotSignedIn("The ticket is invalid or was used.")
        if redeemed.expires_at.timestamp() <= self._clock():
            raise NotSignedIn(EXPIRED)
        return Identity(redeemed.user_id, redeemed.expires_at)

    async def issue_ticket(self, holder: Identity) -> str:
        """A ticket that opens one socket for this person, soon (contract §5)."""
        return await self._tickets.issue_socket(holder.user_id, expires_at=holder.expires_at)

    async def check_enabled(self, user_id: int) -> None:
        """Raises NotSignedIn for a disabled person and for nobody, TransientError when that cannot be known."""
        disabled, met = await self._look_up(user_id)
        if user_id in disabled:
            raise NotSignedIn("The user is disabled.")
        if user_id not in self._somebody and await self._is_nobody(user_id, met):
            raise NotSignedIn("There is no such user.")

    async def _is_nobody(self, user_id: int, met: Met) -> bool:
        """Whether the record has nobody of this id; False if it does not say (then nobody is kept out)."""
        if user_id in met.nobody:
            return True
        if user_id not in met.somebody:
            return met.is_answered and await self._strangers.is_nobody(user_id)
        if len(self._somebody) >= MAX_REMEMBERED:
            self._somebody.clear()
        self._somebody.add(user_id)
        return False

    async def _look_up(self, user_id: int) -> tuple[frozenset[int], Met]:
        """Of all who came since those before them were looked up: who is disabled, and who is somebody."""
        self._asked.add(user_id)
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        return await asyncio.shield(self._answer)

    async def _ask(self) -> tuple[frozenset[int], Met]:
        loop = asyncio.get_running_loop()
        async with self._line:
            if (rest := self._rested_at - loop.time()) > 0:
                await asyncio.sleep(rest)
            self._rested_at = loop.time() + REST_SECONDS
            asked, self._asked, self._answer = self._asked, set(), None
            disabled = self._bus.disabled_among(asked)
            if unmet := asked - self._somebody:
                found, met = await asyncio.gather(disabled, self._strangers.met(unmet))
                return found, met
            return await disabled, NOBODY_NEW


def _normalize_origin(origin: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, so that case and a default port make no difference (RFC 6454 §4)."""
    try:
        parts = urlsplit(origin)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", None, None)
    return (parts.scheme, parts.hostname, port)
