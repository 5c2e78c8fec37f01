"""Who is calling: a request's headers → a Caller, or 401 (contract §1).

A refusal says what anyone may know: a header is missing or has the wrong form, a clock is off, a token of ours has
expired. Every other refusal is the same sentence, so that a caller cannot learn which apps, people or keys exist.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from starlette.types import Scope

from ingest.identity.lookups import KnownApp, Lookups
from ingest.identity.signatures import (
    VERSION_HEADER,
    AppSignature,
    check_body,
    make_malformed,
    read_signature,
    read_timestamp,
)
from ingest.models.field_types import ACCOUNT_LENGTH
from storage.keys.tokens import TokenVerifier
from storage.model.caller import App, AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import ClockSkew, NotAllowed, NotSignedIn, TransientError
from storage.model.networks import is_in_networks
from storage.valkey.nonces import UsedNonces

# An unknown app's signature is compared too, so that refusing it takes as long as refusing a known app's.
_SECRETS_OF_NOBODY = (b"nobody's",)


class CallerAuthenticator:
    """Finds out who is calling. `clock` gives Unix seconds; `tell_unchecked` is called for each nonce that could not be checked."""

    def __init__(
        self,
        verifier: TokenVerifier,
        lookups: Lookups,
        *,
        nonces: UsedNonces,
        window: timedelta,
        tell_unchecked: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._lookups = lookups
        self._nonces = nonces
        self._window_seconds = window.total_seconds()
        self._tell_unchecked = tell_unchecked
        self._clock = clock

    def authenticate(self, headers: Mapping[bytes, bytes], scope: Scope) -> Awaitable[Caller]:
        """The caller that `headers` (lower-case names) of the request `scope` prove.

        Awaiting it may raise NotSignedIn, NotAllowed (an app's address) or TransientError. With `X-App-Id` it is an
        app's call, whatever else is sent (contract §1). The body has not been read: see `signatures.check_body`.
        """
        app_id = headers.get(b"x-app-id")
        if app_id is None:
            return self._authenticate_person(headers.get(b"authorization", b""))
        return self._authenticate_app(app_id, headers, scope)

    def check_body(self, headers: Mapping[bytes, bytes], body: bytes) -> None:
        """Raise NotSignedIn if an app signed another body than this one, which was read after `authenticate`."""
        if VERSION_HEADER in headers:
            check_body(headers, body)

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
        self, app_id: bytes, headers: Mapping[bytes, bytes], scope: Scope
    ) -> AppCaller:
        self._check_clock(read_timestamp(headers))
        signature = read_signature(headers, scope)
        name = _parse_app_id(app_id)
        known = await self._lookups.apps.find(name)
        app = _find_signer(known, signature)
        if app is None and known is not None:
            # It may be signed with a secret made since the app was looked up. One query for all that ask.
            app = _find_signer(await self._lookups.apps.find_now(name), signature)
        if app is None or not app.is_active:
            raise NotSignedIn(reason=_describe_refusal(name, known, is_signer=app is not None))
        if app.allowed_networks:
            _check_address(app, scope)
        if signature.version < app.signature_version:
            raise NotSignedIn(
                f"This app signs in version {app.signature_version}: X-Sign-Version.",
                code=ErrorCode.SIGNATURE_VERSION,
            )
        if signature.nonce:
            await self._use_nonce(signature, app)
        return AppCaller(app)

    async def _use_nonce(self, signature: AppSignature, app: App) -> None:
        """Raise NotSignedIn if the request came before. Unchecked it passes only from an app that need not prove that."""
        left = signature.timestamp + self._window_seconds - self._clock()
        # A second more: Valkey's clock is another one.
        lifetime = timedelta(seconds=max(left, 0) + 1)
        try:
            is_new = await self._nonces.use(signature.nonce, app_id=app.id, lifetime=lifetime)
        except TransientError:
            if app.signature_version > 1:
                raise
            self._tell_unchecked()
            return
        if not is_new:
            raise NotSignedIn("This X-Nonce was used before.", code=ErrorCode.NONCE_USED)

    def _check_clock(self, given: int) -> None:
        """Raise ClockSkew before an app is looked up: it would be wrong for any app."""
        now = self._clock()
        if abs(now - given) > self._window_seconds:
            raise ClockSkew(self._describe_skew(given, now=now), server_time=int(now))

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
        raise make_malformed("X-App-Id must be UTF-8.") from error
    if not 0 < len(name) <= ACCOUNT_LENGTH or "\0" in name:
        raise make_malformed(f"X-App-Id must be 1 to {ACCOUNT_LENGTH} characters.")
    return name


def _check_address(app: App, scope: Scope) -> None:
    client = scope.get("client")
    if client is None or not is_in_networks(client[0], app.allowed_networks):
        raise NotAllowed(
            "The app's calls may not come from this address.", code=ErrorCode.ADDRESS_NOT_ALLOWED
        )


def _describe_refusal(name: str, known: KnownApp | None, *, is_signer: bool) -> str:
    """The reason for the log; `name` is the caller's word and may be anything."""
    if known is None:
        return f"There is no app {name!r:.80}."
    if is_signer:
        return f"App {name!r:.80} is disabled."
    count = len(known.secrets)
    return f"X-Sign was not made with a secret of app {name!r:.80} ({count} live) over this text."


def _find_signer(known: KnownApp | None, signature: AppSignature) -> App | None:
    """The app, if one of its live secrets made the signature."""
    is_made = signature.is_made_with(_SECRETS_OF_NOBODY if known is None else known.secrets)
    return known.app if is_made and known is not None else None
