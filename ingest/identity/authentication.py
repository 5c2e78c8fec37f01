"""Who is calling: a request's headers → a Caller, or 401 (contract §1).

A refusal says what anyone may know: a header is missing or has the wrong form, a clock is off, a token of ours has
expired. Every other refusal is the same sentence, so that a caller cannot learn which apps, people or keys exist.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from ingest.identity.lookups import KnownApp, Lookups
from ingest.models.field_types import ACCOUNT_LENGTH
from storage.keys.tokens import TokenVerifier
from storage.model.caller import App, AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import ClockSkew, NotSignedIn

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")
# An unknown app's signature is compared too, so that refusing it takes as long as refusing a known app's.
_SECRETS_OF_NOBODY = (b"nobody's",)


class CallerAuthenticator:
    """Finds out who is calling. `clock` gives Unix seconds."""

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

    def authenticate(self, headers: Mapping[bytes, bytes]) -> Awaitable[Caller]:
        """The caller that `headers` (lower-case names) prove. Awaiting it may raise NotSignedIn or TransientError.

        With `X-App-Id` it is an app's call, whatever else is sent (contract §1).
        """
        app_id = headers.get(b"x-app-id")
        if app_id is None:
            return self._authenticate_person(headers.get(b"authorization", b""))
        return self._authenticate_app(
            app_id,
            timestamp=headers.get(b"x-timestamp", b""),
            signature=headers.get(b"x-sign", b""),
        )

    async def _authenticate_person(self, authorization: bytes) -> UserCaller:
        if not authorization:
            raise NotSignedIn(
                "The header Authorization is missing (or X-App-Id, for an app).",
                code=ErrorCode.HEADER_MISSING,
            )
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise NotSignedIn(
                "Authorization must be: Bearer <token>.", code=ErrorCode.HEADER_MALFORMED
            )
        try:
            verified = self._verifier.verify(token.strip().decode("ascii"))
        except UnicodeDecodeError as error:
            raise NotSignedIn(reason="The token is not ASCII.") from error
        person = await self._lookups.people.find(verified.user_id)
        if person is None:
            raise NotSignedIn(reason=f"There is no person {verified.user_id}.")
        if not person.is_active:
            raise NotSignedIn(reason=f"Person {verified.user_id} is not active.")
        return UserCaller(person)

    async def _authenticate_app(
        self, app_id: bytes, *, timestamp: bytes, signature: bytes
    ) -> AppCaller:
        self._check_form(timestamp, signature)
        signed = b"app_id=%b&timestamp=%b" % (app_id, timestamp)
        name = _parse_app_id(app_id)
        known = await self._lookups.apps.find(name)
        app = _find_signer(known, signed, signature)
        if app is None and known is not None:
            # It may be signed with a secret made since the app was looked up. One query for all that ask.
            app = _find_signer(await self._lookups.apps.find_now(name), signed, signature)
        if app is None or not app.is_active:
            raise NotSignedIn(reason=_describe_refusal(name, known, is_signer=app is not None))
        return AppCaller(app)

    def _check_form(self, timestamp: bytes, signature: bytes) -> None:
        """Raise NotSignedIn for what would be wrong for any app, before one is looked up."""
        for header, value in (("X-Timestamp", timestamp), ("X-Sign", signature)):
            if not value:
                raise NotSignedIn(f"The header {header} is missing.", code=ErrorCode.HEADER_MISSING)
        if not _TIMESTAMP.fullmatch(timestamp):
            raise _make_malformed("X-Timestamp must be Unix seconds, in digits.")
        now, given = self._clock(), int(timestamp)
        if abs(now - given) > self._window_seconds:
            raise ClockSkew(self._describe_skew(given, now=now), server_time=int(now))
        if not _SIGNATURE.fullmatch(signature):
            raise _make_malformed("X-Sign must be 64 hexadecimal digits, in lower case.")

    def _describe_skew(self, given: int, *, now: float) -> str:
        if abs(now - given / 1000) <= self._window_seconds:
            return "X-Timestamp is in milliseconds; it must be Unix seconds."
        way = "behind" if given < now else "ahead of"
        return (
            f"X-Timestamp is {abs(round(now - given))} seconds {way} the server's clock; "
            f"at most {self._window_seconds:g} are allowed."
        )


def _parse_app_id(app_id: bytes) -> str:
    try:
        name = app_id.decode()
    except UnicodeDecodeError as error:
        raise _make_malformed("X-App-Id must be UTF-8.") from error
    if not 0 < len(name) <= ACCOUNT_LENGTH or "\0" in name:
        raise _make_malformed(f"X-App-Id must be 1 to {ACCOUNT_LENGTH} characters.")
    return name


def _make_malformed(detail: str) -> NotSignedIn:
    return NotSignedIn(detail, code=ErrorCode.HEADER_MALFORMED)


def _describe_refusal(name: str, known: KnownApp | None, *, is_signer: bool) -> str:
    """The reason for the log; `name` is the caller's word and may be anything."""
    if known is None:
        return f"There is no app {name!r:.80}."
    if is_signer:
        return f"App {name!r:.80} is disabled."
    count = len(known.secrets)
    return f"X-Sign was not made with a secret of app {name!r:.80} ({count} live) over this text."


def _find_signer(known: KnownApp | None, signed: bytes, signature: bytes) -> App | None:
    """The app, if one of its live secrets made `signature`. Each secret is compared, in constant time."""
    secrets = _SECRETS_OF_NOBODY if known is None else known.secrets
    matches = [
        hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256).hex().encode(), signature)
        for secret in secrets
    ]
    return known.app if any(matches) and known is not None else None
