"""One request of an operator who is signed in: who they are, and what the request asks, parsed.

The operations get it (`operations/`). Values of the wrong form are 422, and name the field.
"""

import re
import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request

from ingest.console import session
from ingest.http import errors, json_body
from ingest.models.requests import RequestModel
from ingest.services import Services
from storage.model.errors import NotSignedIn, invalid
from storage.model.operator import Actor, SignedIn
from storage.postgres import console_sessions
from storage.process.logs import REQUEST_ID

_LONGEST_BODY = 64 * 1024
_LONGEST_TEXT = 255
_DIGITS = re.compile(r"[0-9]{1,19}")
# Someone who has one IPv6 address has the whole network of this prefix.
_IPV6_SITE_PREFIX = 64

Body = TypeVar("Body", bound=RequestModel)


class Visit:
    """A request of an operator who is signed in, as `actor`."""

    def __init__(self, request: Request, *, session_id: str, actor: Actor) -> None:
        self.services: Services = request.state.services
        self.actor = actor
        self.session_id = session_id
        self._request = request

    @property
    def id(self) -> int:
        """The id in the path; raises Invalid."""
        return _parse_id(self._request.path_params["id"], name="id", where="path")

    @property
    def name(self) -> str:
        """The name in the path; raises Invalid."""
        return _check_text(self._request.path_params["name"], name="name", where="path")

    @property
    def before_id(self) -> int | None:
        """The id in the query before which a list goes on; None without one. Raises Invalid."""
        return self.read_id("before_id")

    @property
    def address(self) -> str:
        """The address that attempts to sign in are counted by."""
        return find_site(self._request)

    def read_id(self, name: str) -> int | None:
        """The id `name` in the query; None without one. Raises Invalid."""
        text = self._request.query_params.get(name, "")
        return _parse_id(text, name=name, where="query") if text else None

    def read_text(self, name: str) -> str:
        """The text `name` in the query, without spaces around it; empty without one. Raises Invalid."""
        text = self._request.query_params.get(name, "").strip()
        return _check_text(text, name=name, where="query")

    async def read_body(self, model: type[Body]) -> Body:
        """The JSON object in the body, as `model`; raises Invalid, TooLarge, TooSlow."""
        return await read_json(self._request, model, limit=_LONGEST_BODY)

    def describe(self, target: str) -> str:
        """`target` with the values of the path in it, as they came: for a row of the audit."""
        return target.format_map({k: str(v) for k, v in self._request.path_params.items()})


async def open_visit(request: Request) -> Visit:
    """The visit of a request that has an open session; raises NotSignedIn, TransientError."""
    services: Services = request.state.services
    id = read_session_id(request)
    found = None if id is None else await services.database.query(console_sessions.find, id)
    if id is None or found is None:
        raise NotSignedIn("Sign in with your name and password, or with the operator's token.")
    return Visit(request, session_id=id, actor=make_actor(request, found))


def make_actor(request: Request, who: SignedIn) -> Actor:
    """Who asks, and from where."""
    address = request.client.host if request.client else ""
    return Actor(who.name, who.role, request_id=REQUEST_ID.get(), address=address)


def read_session_id(request: Request) -> str | None:
    """The id of the session that the request's cookie names; None without one that we made."""
    cookie = request.cookies.get(session.COOKIE, "")
    return session.read_cookie(cookie, cookie_key(request), now=time.time())


def cookie_key(request: Request) -> bytes:
    """The key that this deployment's cookies are signed with."""
    services: Services = request.state.services
    return session.derive_cookie_key(services.vault, services.settings.console_token)


async def read_json(request: Request, model: type[Body], *, limit: int) -> Body:
    """The JSON object in a request's body, as `model`; raises Invalid, TooLarge, TooSlow."""
    raw = await read_raw(request, limit=limit)
    try:
        return model.from_values(json_body.parse(raw))
    except ValidationError as error:
        raise errors.translate_validation_error(error, where=lambda _: "body") from error


async def read_raw(request: Request, *, limit: int) -> bytes:
    """A request's body; raises TooLarge, TooSlow."""
    services: Services = request.state.services
    headers = dict(request.scope["headers"])
    return await services.body_reader.read(request.receive, headers, limit=limit)


def find_site(request: Request) -> str:
    """The address that attempts to sign in are counted by: of IPv6 the network of one site, "unknown" without any."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), _IPV6_SITE_PREFIX), strict=False))
    return str(address)


def _check_text(text: str, *, name: str, where: str) -> str:
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise invalid(name, f"Must be up to {_LONGEST_TEXT} characters, no NUL.", where=where)
    return text


def _parse_id(text: str, *, name: str, where: str) -> int:
    # The length before int(), which refuses thousands of digits with an error of its own.
    if not _DIGITS.fullmatch(text) or int(text) >= 2**63:
        raise invalid(name, "Must be an id.", where=where)
    return int(text)
