"""Signing in to the console and out of it, and a new password of one's own."""

import asyncio
import logging
import secrets
import time
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request

from ingest.console import session
from ingest.console.credentials import CredentialChecker, Credentials
from ingest.console.visit import (
    Visit,
    cookie_key,
    find_site,
    make_actor,
    read_json,
    read_raw,
    read_session_id,
)
from ingest.http.response import JSON, Response
from ingest.models.requests import RequestModel
from ingest.services import Services
from storage.keys import passwords
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed, NotSignedIn, invalid
from storage.model.operator import FIRST_ADMIN, PERMISSIONS, Role, SignedIn
from storage.postgres import console_sessions, operators
from storage.postgres.acts import operators as operator_acts
from storage.postgres.acts import sessions
from storage.postgres.console_sessions import SignInLimits

_LONGEST_LOGIN = 4096
_LIFETIME = timedelta(seconds=session.LIFETIME_SECONDS)

_log = logging.getLogger(__name__)

Secret = Annotated[str, Field(max_length=passwords.LONGEST)]


class SignInBody(RequestModel):
    """What the form sends; without a name the password is the operator's token."""

    name: Annotated[str, Field(max_length=255)] = ""
    password: Annotated[str, Field(max_length=_LONGEST_LOGIN)]


class PasswordBody(RequestModel):
    """A password of one's own, in place of the current one."""

    current: Secret
    password: Secret


class SignIn:
    """Signs operators in and out; `path` is the one that their cookie is sent to."""

    def __init__(self, *, path: str, limits: SignInLimits) -> None:
        self._path = path
        self._checker = CredentialChecker(limits)

    async def sign_in(self, request: Request) -> Response:
        """Open a session if the body holds an operator's credentials; the response sets the cookie.

        The body is JSON (`SignInBody`), or else the operator's token and nothing more. Raises NotSignedIn, OverLimit,
        Invalid, TransientError.
        """
        services: Services = request.state.services
        address, given = find_site(request), await _read_credentials(request)
        name = await self._checker.check(given, services, address=address)
        who = await _find_role(services, name)
        id = secrets.token_urlsafe(24)
        actor = make_actor(request, who)
        await services.database.transaction(sessions.sign_in, actor, id=id, lifetime=_LIFETIME)
        _log.info("The operator %s signed in to the console from %s.", name, address)
        value = session.make_cookie(cookie_key(request), id, now=time.time())
        return self._make_response(
            request, show(who), cookie=value, seconds=session.LIFETIME_SECONDS
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session on the server and remove the cookie: copies of it are worthless from now on."""
        services: Services = request.state.services
        id = read_session_id(request)
        who = None if id is None else await services.database.query(console_sessions.find, id)
        if id is not None and who is not None:
            actor = make_actor(request, who)
            await services.database.transaction(sessions.sign_out, actor, id=id)
            _log.info("The operator %s signed out of the console.", who.name)
        return self._make_response(request, {}, cookie="", seconds=0)

    async def change_password(self, visit: Visit) -> dict[str, Any]:
        """Give the operator the password that they chose; their sessions end, this one too.

        Raises NotAllowed for the token, Invalid for a password that is too short and for a wrong current one, OverLimit.
        """
        body = await visit.read_body(PasswordBody)
        name = visit.actor.name
        if name == FIRST_ADMIN:
            raise NotAllowed(
                "The operator's token is a setting, CARILLON_CONSOLE_TOKEN.",
                code=ErrorCode.TOKEN_IS_A_SETTING,
            )
        if len(body.password) < passwords.SHORTEST:
            raise invalid("password", f"Must have at least {passwords.SHORTEST} characters.")
        given = Credentials(name, body.current)
        try:
            await self._checker.check(given, visit.services, address=visit.address)
        except NotSignedIn as error:
            raise invalid("current", "This is not your current password.") from error
        password_hash = await asyncio.to_thread(passwords.hash_password, body.password)
        await visit.services.database.transaction(
            operator_acts.change_password, visit.actor, name=name, password_hash=password_hash
        )
        return {}

    def _make_response(
        self, request: Request, content: dict[str, Any], *, cookie: str, seconds: int
    ) -> Response:
        attributes = f"Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
        # The scheme is the proxy's word if it is a trusted one (CARILLON_TRUSTED_PROXIES, FORWARDED_ALLOW_IPS).
        secure = "; Secure" if request.url.scheme == "https" else ""
        value = f"{session.COOKIE}={cookie}; {attributes}{secure}"
        return Response(content, headers=[("Set-Cookie", value), ("Cache-Control", "no-store")])


def show(who: SignedIn) -> dict[str, Any]:
    """Who is signed in, and what they may do, as the page needs it."""
    return {"name": who.name, "role": who.role, "permissions": sorted(PERMISSIONS[who.role])}


async def show_me(visit: Visit) -> dict[str, Any]:
    """Who asks."""
    return show(SignedIn(visit.actor.name, visit.actor.role))


async def _find_role(services: Services, name: str) -> SignedIn:
    if name == FIRST_ADMIN:
        return SignedIn(name, Role.ADMIN)
    found = await services.database.query(operators.find, name)
    if found is None:
        raise NotSignedIn("The name or the password is wrong.")
    return SignedIn(name, found.role)


async def _read_credentials(request: Request) -> Credentials:
    if request.headers.get("content-type", "").partition(";")[0].strip() == JSON:
        body = await read_json(request, SignInBody, limit=_LONGEST_LOGIN)
        return Credentials(body.name.strip().lower(), body.password.strip())
    raw = await read_raw(request, limit=_LONGEST_LOGIN)
    return Credentials("", raw.decode("utf-8", "replace").strip())
