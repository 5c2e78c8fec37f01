"""Who is calling: a request's headers → a Caller, or 401 (contract §1).

One sentence for every failure, so that a caller cannot learn which apps, people or keys exist.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from ingest.lookups import KnownApp, Lookups
from ingest.problems import MEANING
from ingest.wire import ACCOUNT_LENGTH
from storage.model.caller import App, AppCaller, Caller, UserCaller
from storage.model.errors import NotSignedIn
from storage.tokens import TokenVerifier

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
# What an unknown app's signature is compared under, so that it takes as long as a known one's.
_NO_SECRETS = (b"nobody's",)


class Authentication:
    """Tells who calls. `clock` gives Unix seconds."""

    def __init__(
        self,
        verifier: TokenVerifier,
        lookups: Lookups,
        *,
        window: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._lookups = lookups
        self._window_seconds = window.total_seconds()
        self._clock = clock

    async def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller named by `headers` (lower-case names); raises NotSignedIn, or TryLater.

        With `X-App-Id` it is an app's call, whatever else is sent (contract §1).
        """
        app_id = headers.get(b"x-app-id")
        if app_id is None:
            return await self._person(headers.get(b"authorization", b""))
        return await self._app(
            app_id,
            timestamp=headers.get(b"x-timestamp", b""),
            signature=headers.get(b"x-sign", b""),
        )

    async def _person(self, authorization: bytes) -> UserCaller:
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            raise _refused()
        try:
            verified = self._verifier.verify(token.strip().decode("ascii"))
        except (NotSignedIn, UnicodeDecodeError) as error:
            raise _refused() from error
        people = self._lookups.people
        person = people.remembered(verified.user_id) or await people.find(verified.user_id)
        if person is None or not person.is_active:
            raise _refused()
        return UserCaller(person)

    async def _app(self, app_id: bytes, *, timestamp: bytes, signature: bytes) -> AppCaller:
        if not _TIMESTAMP.fullmatch(timestamp):
            raise _refused()
        if abs(self._clock() - int(timestamp)) > self._window_seconds:
            raise _refused()
        signed = b"app_id=%b&timestamp=%b" % (app_id, timestamp)
        name = _name(app_id)
        known = await self._lookups.apps.find(name)
        app = _signer(known, signed, signature)
        if app is None and known is not None:
            # Perhaps with a secret made since the app was looked up; gathered, so no flood of queries.
            app = _signer(await self._lookups.apps.find_anew(name), signed, signature)
        if app is None or not app.is_active:
            raise _refused()
        return AppCaller(app)


def _name(app_id: bytes) -> str:
    try:
        name = app_id.decode()
    except UnicodeDecodeError as error:
        raise _refused() from error
    if not 0 < len(name) <= ACCOUNT_LENGTH or "\0" in name:
        raise _refused()
    return name


def _signer(known: KnownApp | None, signed: bytes, signature: bytes) -> App | None:
    """The app if one of its live secrets made `signature`; every one is compared, in constant time."""
    secrets = _NO_SECRETS if known is None else known.secrets
    matches = [
        hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256).hex().encode(), signature)
        for secret in secrets
    ]
    return known.app if any(matches) and known is not None else None


def _refused() -> NotSignedIn:
    return NotSignedIn(MEANING[401])
