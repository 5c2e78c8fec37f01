"""Who is calling: a request's headers → a Caller, or 401 (contract §1).

A refusal says what anyone may know: what is missing or has the wrong form, that a clock is off, that a token of
ours has expired. For everything else there is one sentence, so that a caller cannot learn which apps, people or
keys exist.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from ingest.identity.lookups import KnownApp, Lookups
from ingest.models.requests import ACCOUNT_LENGTH
from storage.keys.tokens import TokenVerifier
from storage.model.caller import App, AppCaller, Caller, UserCaller
from storage.model.errors import ClockSkew, NotSignedIn, TokenExpired
from storage.model.http_status import MEANING

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")
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

    def caller(self, headers: Mapping[bytes, bytes]) -> Awaitable[Caller]:
        """The caller named by `headers` (lower-case names); awaiting it may raise NotSignedIn, or TransientError.

        With `X-App-Id` it is an app's call, whatever else is sent (contract §1).
        """
        app_id = headers.get(b"x-app-id")
        if app_id is None:
            return self._person(headers.get(b"authorization", b""))
        return self._app(
            app_id,
            timestamp=headers.get(b"x-timestamp", b""),
            signature=headers.get(b"x-sign", b""),
        )

    async def _person(self, authorization: bytes) -> UserCaller:
        if not authorization:
            raise NotSignedIn("The header Authorization is missing (or X-App-Id, for an app).")
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise NotSignedIn("Authorization must be: Bearer <token>.")
        try:
            verified = self._verifier.verify(token.strip().decode("ascii"))
        except TokenExpired:
            raise
        except (NotSignedIn, UnicodeDecodeError) as error:
            raise _refused() from error
        people = self._lookups.people
        person = people.remembered(verified.user_id) or await people.find(verified.user_id)
        if person is None or not person.is_active:
            raise _refused()
        return UserCaller(person)

    async def _app(self, app_id: bytes, *, timestamp: bytes, signature: bytes) -> AppCaller:
        self._judge_form(timestamp, signature)
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

    def _judge_form(self, timestamp: bytes, signature: bytes) -> None:
        """Raise NotSignedIn for what is wrong whichever app it is: before any is looked up."""
        for header, value in (("X-Timestamp", timestamp), ("X-Sign", signature)):
            if not value:
                raise NotSignedIn(f"The header {header} is missing.")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise NotSignedIn("X-Timestamp must be Unix seconds, in digits.")
        now, given = self._clock(), int(timestamp)
        if abs(now - given) > self._window_seconds:
            raise ClockSkew(self._skew(given, now=now), server_time=int(now))
        if not _SIGNATURE.fullmatch(signature):
            raise NotSignedIn("X-Sign must be 64 hexadecimal digits, in lower case.")

    def _skew(self, given: int, *, now: float) -> str:
        if abs(now - given / 1000) <= self._window_seconds:
            return "X-Timestamp is in milliseconds; it must be Unix seconds."
        way = "behind" if given < now else "ahead of"
        return (
            f"X-Timestamp is {abs(round(now - given))} seconds {way} the server's clock; "
            f"at most {self._window_seconds:g} are allowed."
        )


def _name(app_id: bytes) -> str:
    try:
        name = app_id.decode()
    except UnicodeDecodeError as error:
        raise NotSignedIn("X-App-Id must be UTF-8.") from error
    if not 0 < len(name) <= ACCOUNT_LENGTH or "\0" in name:
        raise NotSignedIn(f"X-App-Id must be 1 to {ACCOUNT_LENGTH} characters.")
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
