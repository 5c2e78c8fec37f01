"""What operators sign in with: the token, or a name and a password. Who may try how often, and whether it is right.

Nobody learns from an answer or its time whether there is an operator of some name: a wrong name, a wrong password and an
operator who is disabled cost the same work and get the same sentence.
"""

import asyncio
import logging
from dataclasses import dataclass

from ingest.console import session
from ingest.services import Services
from storage.keys import passwords
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotSignedIn, OverLimit
from storage.model.operator import FIRST_ADMIN, is_operator_name
from storage.postgres import console_sessions, operators
from storage.postgres.console_sessions import SignInLimits

# A wrong token or password is answered late, and only so many wait at once in a process.
_REFUSAL_SECONDS = 1.0
_AT_ONCE = 8
# What attempts are counted under whose name can be nobody's.
_IMPOSSIBLE_NAME = "?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What somebody signs in with; without a name it is the token. Its `repr` shows neither."""

    name: str
    password: str


class CredentialChecker:
    """Checks credentials, within `limits` of how often that may be tried."""

    def __init__(self, limits: SignInLimits) -> None:
        self._limits = limits
        self._trying = 0
        self._lock = asyncio.Lock()

    async def check(self, given: Credentials, services: Services, *, address: str) -> str:
        """The name of the operator whose credentials these are; FIRST_ADMIN for the token.

        Raises NotSignedIn, OverLimit, TransientError.
        """
        try:
            return await self._try(given, services, address=address)
        except OverLimit as error:
            services.metrics.sign_ins_refused.labels("too-many").inc()
            _log.warning("A sign-in to the console from %s was refused: %s", address, error.detail)
            raise

    async def _try(self, given: Credentials, services: Services, *, address: str) -> str:
        if self._trying >= _AT_ONCE:
            raise OverLimit(
                "Signing in is tried by too many at once.",
                retry_after_seconds=5,
                code=ErrorCode.TOO_MANY_SIGN_INS,
            )
        self._trying += 1
        try:
            # One attempt at a time, through the share `strangers`: a flood takes no other connection, and one core.
            async with self._lock:
                is_right = await self._is_right(given, services, address=address)
            if is_right:
                return given.name or FIRST_ADMIN
            services.metrics.sign_ins_refused.labels("wrong").inc()
            what = f"wrong password for {_countable(given.name)}" if given.name else "wrong token"
            _log.warning("A sign-in to the console from %s was refused: %s.", address, what)
            await asyncio.sleep(_REFUSAL_SECONDS)
            raise NotSignedIn(
                "The name or the password is wrong."
                if given.name
                else "This is not the operator's token."
            )
        finally:
            self._trying -= 1

    async def _is_right(self, given: Credentials, services: Services, *, address: str) -> bool:
        strangers = services.backends.shares.strangers
        await strangers.transaction(
            console_sessions.try_sign_in,
            address,
            name=_countable(given.name),
            limits=self._limits,
        )
        if not given.name:
            return session.is_token(given.password, services.settings.console_token)
        stored = await strangers.query(operators.find_password_hash, _countable(given.name))
        return await asyncio.to_thread(passwords.is_password, given.password, stored)


def _countable(name: str) -> str:
    """The name, if an operator could have it: others are texts of any length and kind."""
    return name if not name or is_operator_name(name) else _IMPOSSIBLE_NAME
