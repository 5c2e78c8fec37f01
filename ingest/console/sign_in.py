"""Signing in to the console and out of it: who may try how often, and what is stored and logged."""

import asyncio
import logging
import secrets
import time
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request

from ingest.console import session
from ingest.http.response import Response
from ingest.services import Services
from storage.model.errors import NotSignedIn, OverLimit
from storage.postgres import console_sessions
from storage.postgres.console_sessions import SignInLimits

# A wrong token is answered late, and only so many wait at once in a process.
_REFUSAL_SECONDS = 1.0
_AT_ONCE = 8
_LONGEST_LOGIN = 4096
# Someone who has one IPv6 address has the whole network of this prefix.
_IPV6_SITE_PREFIX = 64

_log = logging.getLogger(__name__)


class SignIn:
    """Signs operators in and out; `path` is the one that their cookie is sent to."""

    def __init__(self, *, path: str, limits: SignInLimits) -> None:
        self._path = path
        self._limits = limits
        self._trying = 0
        self._turn = asyncio.Lock()

    async def sign_in(self, request: Request) -> Response:
        """Open a session if the request's body is the operator's token; the response sets the cookie.

        Raises NotSignedIn, OverLimit, TransientError.
        """
        services: Services = request.state.services
        address, given = find_address(request), await _read_text(request, services)
        try:
            await self._check_token(given, services, address=address)
        except OverLimit as error:
            _log.warning("A sign-in to the console from %s was refused: %s", address, error.detail)
            raise
        id = secrets.token_urlsafe(24)
        lifetime = timedelta(seconds=session.LIFETIME_SECONDS)
        await services.database.transaction(console_sessions.begin, id, lifetime=lifetime)
        _log.info("An operator signed in to the console from %s.", address)
        value = session.make_cookie(services.settings.console_token, id, now=time.time())
        return self._with_cookie(request, value, seconds=session.LIFETIME_SECONDS)

    async def sign_out(self, request: Request) -> Response:
        """End the session on the server and remove the cookie: copies of it are worthless from now on."""
        services: Services = request.state.services
        id = _read_session(request, services)
        if id is not None:
            await services.database.transaction(console_sessions.end, id)
            _log.info("An operator signed out of the console from %s.", find_address(request))
        return self._with_cookie(request, "", seconds=0)

    async def _check_token(self, given: str, services: Services, *, address: str) -> None:
        if self._trying >= _AT_ONCE:
            raise OverLimit("Signing in is tried by too many at once.", retry_after_seconds=5)
        self._trying += 1
        try:
            # Through the share `strangers`, one attempt at a time: a flood of them takes no other connection.
            async with self._turn:
                await services.backends.shares.strangers.transaction(
                    console_sessions.try_sign_in, address, limits=self._limits
                )
            if not session.is_token(given, services.settings.console_token):
                _log.warning("A sign-in to the console from %s was refused: wrong token.", address)
                await asyncio.sleep(_REFUSAL_SECONDS)
                raise NotSignedIn("This is not the operator's token.")
        finally:
            self._trying -= 1

    def _with_cookie(self, request: Request, value: str, *, seconds: int) -> Response:
        attributes = f"Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
        # The scheme is the proxy's word if it is a trusted one (CARILLON_TRUSTED_PROXIES, FORWARDED_ALLOW_IPS).
        secure = "; Secure" if request.url.scheme == "https" else ""
        cookie = f"{session.COOKIE}={value}; {attributes}{secure}"
        return Response({}, headers=[("Set-Cookie", cookie), ("Cache-Control", "no-store")])


async def require_session(request: Request) -> Services:
    """The services, if the request has an open session; raises NotSignedIn, TransientError."""
    services: Services = request.state.services
    id = _read_session(request, services)
    if id is None or not await services.database.query(console_sessions.is_open, id):
        raise NotSignedIn("Sign in with the operator's token.")
    return services


def find_address(request: Request) -> str:
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


async def _read_text(request: Request, services: Services) -> str:
    headers = dict(request.scope["headers"])
    body = await services.body_reader.read(request.receive, headers, limit=_LONGEST_LOGIN)
    return body.decode("utf-8", "replace").strip()


def _read_session(request: Request, services: Services) -> str | None:
    cookie = request.cookies.get(session.COOKIE, "")
    return session.read_cookie(cookie, services.settings.console_token, now=time.time())
