"""Who opens a socket: from what a handshake shows to a person, or NotSignedIn (contract §5). Used by `handshake.py`.

The gateway does not ask PostgreSQL: a valid token is a person, unless the bus says that they are disabled, or ingest
that there is no such person (`storage/valkey/strangers.py`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.keys.tokens import EXPIRED, TokenVerifier
from storage.model.cross_origin import AllowedOrigins, is_same_host
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed, NotSignedIn, TokenExpired
from storage.valkey.bus import AsyncBus
from storage.valkey.strangers import Answers, Strangers
from storage.valkey.tickets import Tickets

SUBPROTOCOL = "bearer"
MAX_KNOWN_USERS = 100_000  # people who are known to exist, remembered by one process
# Between two look-ups of people: a rush of handshakes is looked up together, a single one at once. Shorter rests
# cost a rush more, for what a look-up costs hardly depends on how many people it asks about.
LOOKUP_REST_SECONDS = 0.02
_NOT_ASKED = Answers(frozenset(), frozenset(), is_answered=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a handshake shows to sign in with. Exactly one of the two is set."""

    token: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, and the end of the token that they showed, or of the one with which their ticket was issued."""

    user_id: int
    expires_at: datetime


def read_credential(
    headers: Mapping[str, str], query: Mapping[str, str], subprotocols: Sequence[str]
) -> Credential:
    """The first credential that is there of: Authorization header, subprotocol, query `token`, query `ticket`.

    Only that one counts: a bad header is not saved by a good query. Raises NotSignedIn if there is none.
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
    raise NotSignedIn("A token is required.", code=ErrorCode.HEADER_MISSING)


def read_bearer_token(headers: Mapping[str, str]) -> Credential:
    """The token of the Authorization header (RFC 6750 §2.1); raises NotSignedIn if it is no bearer token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        code = ErrorCode.HEADER_MALFORMED if scheme else ErrorCode.HEADER_MISSING
        raise NotSignedIn("The Authorization header must be a bearer token.", code=code)
    return Credential(token=token.strip())


def check_origin(headers: Mapping[str, str], *, allowed: AllowedOrigins) -> None:
    """Raises NotAllowed for a page of an origin that may not open sockets (RFC 6455 §10.2; contract §0, Origins).

    A client that sends no origin passes: it is no browser. So does a page of the host that it connects to.
    """
    origin = headers.get("origin")
    if origin is None:
        return
    sent = origin.encode("latin-1", "replace")
    if not allowed.allow(sent) and not is_same_host(sent, headers.get("host", "").encode()):
        raise NotAllowed("This origin may not open sockets.", code=ErrorCode.ORIGIN_NOT_ALLOWED)


class Authenticator:
    """Finds out who opens a socket, and refuses those who are disabled or do not exist."""

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
        self._known_users: set[int] = set()
        self._clock = clock
        self._verifier = verifier
        self._tickets = tickets
        self._bus = bus
        self._to_look_up: set[int] = set()
        self._lookup: asyncio.Task[tuple[frozenset[int], Answers]] | None = None
        self._lookup_lock = asyncio.Lock()
        self._next_lookup_at = 0.0

    async def identify(self, credential: Credential) -> Identity:
        """The person that a credential names.

        Raises NotSignedIn for one that is not valid (a ticket is used up by this), and TransientError when a ticket
        cannot be looked up.
        """
        if credential.ticket is None:
            verified = self._verifier.verify(credential.token or "")
            return Identity(verified.user_id, verified.expires_at)
        redeemed = await self._tickets.redeem_socket(credential.ticket)
        if redeemed is None:
            raise NotSignedIn("The ticket is invalid or was used.", code=ErrorCode.TICKET_NOT_VALID)
        if redeemed.expires_at.timestamp() <= self._clock():
            raise TokenExpired(EXPIRED)
        return Identity(redeemed.user_id, redeemed.expires_at)

    async def issue_ticket(self, holder: Identity) -> str:
        """A ticket that opens one socket for this person within a short time (contract §5); TransientError without Valkey."""
        return await self._tickets.issue_socket(holder.user_id, expires_at=holder.expires_at)

    async def check_enabled(self, user_id: int) -> None:
        """Raises NotSignedIn if the person is disabled or does not exist, TransientError when that cannot be found out."""
        disabled, met = await self._look_up(user_id)
        if user_id in disabled:
            raise NotSignedIn(reason=f"Person {user_id} is disabled.")
        if user_id not in self._known_users and await self._is_nobody(user_id, met):
            raise NotSignedIn(reason=f"There is no person {user_id}.")

    async def _is_nobody(self, user_id: int, met: Answers) -> bool:
        """Whether the person does not exist; False if that is not known (then nobody is kept out)."""
        if user_id in met.nobody:
            return True
        if user_id not in met.somebody:
            return met.is_answered and await self._strangers.is_nobody(user_id)
        if len(self._known_users) >= MAX_KNOWN_USERS:
            self._known_users.clear()
        self._known_users.add(user_id)
        return False

    async def _look_up(self, user_id: int) -> tuple[frozenset[int], Answers]:
        """Look this person up together with all who came since the last look-up: who is disabled, and who exists."""
        self._to_look_up.add(user_id)
        if self._lookup is None:
            self._lookup = asyncio.create_task(self._run_lookup())
        return await asyncio.shield(self._lookup)

    async def _run_lookup(self) -> tuple[frozenset[int], Answers]:
        loop = asyncio.get_running_loop()
        async with self._lookup_lock:
            if (rest := self._next_lookup_at - loop.time()) > 0:
                await asyncio.sleep(rest)
            self._next_lookup_at = loop.time() + LOOKUP_REST_SECONDS
            asked, self._to_look_up, self._lookup = self._to_look_up, set(), None
            disabled = self._bus.find_disabled(asked)
            if unmet := asked - self._known_users:
                found, met = await asyncio.gather(disabled, self._strangers.read_answers(unmet))
                return found, met
            return await disabled, _NOT_ASKED
