"""Signing in as one of the demo's people without a password: who may, and the token.

This is for one's own machine (docs/decisions/0039-inbox-and-bundles.md). The deployment has to be such a machine's
(`check_deployment`), and each request has to come from the page itself, opened on that machine (`check_own_page`).
"""

import logging
import time
from collections.abc import Mapping

from ingest.inbox.demo_people import DEMO_PEOPLE, DemoPerson
from ingest.settings import InboxSettings
from storage.keys.tokens import TokenSettings, issue_token
from storage.model.error_codes import ErrorCode
from storage.model.errors import InvalidSettings, NotAllowed, NotFound
from storage.model.networks import is_loopback
from storage.postgres.database import Database
from storage.postgres.people import directory

TOKEN_SECONDS = 3600
_OWN_ALGORITHM = ("HS256",)
# A proxy says so: then the request may come from anywhere, whatever the connection's address is.
_OF_PROXIES = (
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
)

_log = logging.getLogger(__name__)


def check_deployment(settings: InboxSettings, tokens: TokenSettings) -> None:
    """Raise InvalidSettings if the demo's people are to sign in where others could be hurt by it."""
    if not settings.has_demo:
        return
    if not is_loopback(settings.host):
        raise InvalidSettings(
            "CARILLON_INBOX_DEMO=on: only on a loopback address (CARILLON_HOST=127.0.0.1); everybody could sign in."
        )
    if tokens.algorithms != _OWN_ALGORITHM or tokens.public_key_file or tokens.jwks_file:
        raise InvalidSettings(
            "CARILLON_INBOX_DEMO=on: only with tokens of our own (HS256); here somebody else's are believed."
        )


def check_own_page(headers: Mapping[bytes, bytes], *, client: str) -> None:
    """Raise NotAllowed unless the page of this server, opened on this machine, makes the request.

    `headers` have lower-case names; `client` is the address of who is connected. The header `Host` has to be a loopback
    name: else a page whose own name was made to lead to this machine (DNS rebinding) would be of the same origin.
    """
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    is_direct = is_loopback(client) and not any(one in headers for one in _OF_PROXIES)
    if not is_direct or not is_loopback(name) or origin != f"http://{host}":
        raise NotAllowed(
            "Demo people sign in on the inbox's own page, on this machine only.",
            code=ErrorCode.DEMO_IS_LOCAL,
        )


async def list_people(database: Database) -> list[DemoPerson]:
    """The demo's people who are there: none before `carillon demo` was run. Raises TransientError."""
    found = await database.query(directory.find_many, [one.id for one in DEMO_PEOPLE])
    return [one for one in DEMO_PEOPLE if one.id in found and found[one.id].is_active]


async def issue_demo_token(database: Database, id: int, *, tokens: TokenSettings) -> str:
    """A token of the demo's person with this id, good for TOKEN_SECONDS.

    Raises NotFound for everybody else and for one who is not there, TransientError.
    """
    person = next((one for one in await list_people(database) if one.id == id), None)
    if person is None:
        raise NotFound(
            "There is no such demo person; `carillon demo` makes them.",
            code=ErrorCode.UNKNOWN_PERSON,
        )
    _log.info("Somebody on this machine signed in as %s, of the demo.", person.english_name)
    return issue_token(tokens, person.id, ttl_seconds=TOKEN_SECONDS, now=time.time())
