"""User tokens: JSON Web Tokens (RFC 7519), both ends (contract §1).

`TokenVerifier` is used by every process that a person signs in to; `issue_token` by the operator's
command and the tests (in production the platform issues them). The rules are those of RFC 8725:
algorithms fixed by settings, every key bound to its algorithm, `exp` and `sub` required. A token
is never put into an error or a log.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from storage.keys.token_keys import (
    ALGORITHMS,
    SECRET_BYTES,
    Key,
    make_secret_key,
    read_jwks_keys,
    read_pem_keys,
)
from storage.model.errors import InvalidSettings, NotSignedIn, TokenExpired
from storage.model.message import MAX_ID
from storage.setting_parsers import comma_separated, duration
from storage.settings import setting

MAX_TOKEN_LENGTH = 8192  # longer than any header a proxy lets through
MAX_CACHED = 20_000  # tokens whose signature is not checked again; bounds their memory
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
USER_ID = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
EXPIRED = "The token has expired."


def parse_algorithms(text: str) -> tuple[str, ...]:
    """Parse the list of accepted algorithms. Raises ValueError for an unknown one, and for `none`."""
    names = comma_separated(text)
    if not names or not ALGORITHMS.issuperset(names):
        raise ValueError(f"must be some of {', '.join(sorted(ALGORITHMS))}")
    return names


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """What makes a user token valid."""

    algorithms: tuple[str, ...] = setting(
        "CARILLON_JWT_ALGORITHMS",
        ("HS256",),
        parse=parse_algorithms,
        help="Accepted signature algorithms, comma-separated; whatever a token says, no other is.",
    )
    secret: str = setting(
        "CARILLON_JWT_SECRET",
        "",
        secret=True,
        help="Secret of HS256/384/512: at least 32/48/64 bytes. Anybody who has it can sign in as anyone.",
    )
    public_key_file: Path | None = setting(
        "CARILLON_JWT_PUBLIC_KEY_FILE",
        None,
        parse=Path,
        help="PEM public key of RS*, PS*, ES* or EdDSA tokens. Read once, at the start.",
    )
    jwks_file: Path | None = setting(
        "CARILLON_JWT_JWKS_FILE",
        None,
        parse=Path,
        help="JWKS file (RFC 7517) of public keys, chosen by `kid`. Read once, at the start.",
    )
    issuer: str | None = setting(
        "CARILLON_JWT_ISSUER", None, help="If set, `iss` must be exactly this."
    )
    audience: str | None = setting(
        "CARILLON_JWT_AUDIENCE", None, help="If set, `aud` must be or contain this."
    )
    leeway: timedelta = setting(
        "CARILLON_JWT_LEEWAY_SECONDS",
        timedelta(0),
        parse=duration(0, 300),
        help="Seconds by which the issuer's clock may be off when `exp` and `nbf` are judged.",
    )


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The user of a valid token, and the end of its validity (with the leeway)."""

    user_id: int
    expires_at: datetime


class TokenVerifier:
    """Tells whether a token is valid now. A process needs one; threads may share it."""

    def __init__(self, settings: TokenSettings, *, clock: Callable[[], float] = time.time) -> None:
        """Load the keys. Raises InvalidSettings if an accepted algorithm has no key, or a weak one."""
        self._settings = settings
        self._clock = clock
        self._keys = load_keys(settings)
        # Verified tokens, each with its `expires_at` as a Unix time, which every request is compared with.
        self._cache: dict[str, tuple[VerifiedToken, float]] = {}

    def verify(self, token: str) -> VerifiedToken:
        """Check a token and tell its user. Raises NotSignedIn, whose `reason` does not quote the token.

        Raises TokenExpired, a NotSignedIn, if the signature is good and only the time is over. The signature of a token
        is checked once; after that only its end is compared with the clock.
        """
        known = self._cache.get(token)
        if known is None:
            verified = self._verify_anew(token)
            known = verified, verified.expires_at.timestamp()
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[token] = known
        verified, expires = known
        if expires <= self._clock():
            raise TokenExpired(EXPIRED)
        return verified

    def _verify_anew(self, token: str) -> VerifiedToken:
        if len(token) > MAX_TOKEN_LENGTH:
            raise NotSignedIn(reason=f"The token is longer than {MAX_TOKEN_LENGTH} characters.")
        try:
            claims = self._read_claims(token)
            expires = float(claims["exp"])
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired(EXPIRED) from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise NotSignedIn(reason=_describe_failure(error)) from error
        user_id = claims["sub"]
        if not is_user_id(user_id) or not 0 < expires < LATEST:
            raise NotSignedIn(
                reason=f"`sub` or `exp` is out of range: {user_id!r:.40}, {expires:g}."
            )
        expires_at = datetime.fromtimestamp(expires, UTC) + self._settings.leeway
        return VerifiedToken(int(user_id), expires_at)

    def _read_claims(self, token: str) -> dict[str, Any]:
        keys = self._find_keys(token)
        failure: jwt.PyJWTError = jwt.InvalidKeyError() if not keys else jwt.InvalidSignatureError()
        for key in keys:
            try:
                return self._decode(token, key)
            except jwt.InvalidSignatureError as error:
                failure = error
        raise failure

    def _find_keys(self, token: str) -> list[Key]:
        """The keys that a token may be signed with: those of its algorithm, and of its `kid` where both name one."""
        if len(self._keys) == 1:  # no choice, so the token need not be parsed for it
            return self._keys
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        keys = [key for key in self._keys if key.algorithm == algorithm]
        return [key for key in keys if kid is None or key.kid is None or key.kid == kid]

    def _decode(self, token: str, key: Key) -> dict[str, Any]:
        settings = self._settings
        return jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            issuer=settings.issuer,
            audience=settings.audience,
            leeway=settings.leeway,
            # `iat` only informs (RFC 7519 §4.1.6); a clock a little off must not sign people out.
            options={
                "require": ["exp", "sub"],
                "verify_aud": settings.audience is not None,
                "verify_iat": False,
            },
        )


def _describe_failure(error: Exception) -> str:
    """Why a token is not valid, without a part of it."""
    if isinstance(error, jwt.InvalidKeyError):
        return "No key is of the token's algorithm and `kid`."
    return f"The token is not valid: {type(error).__name__}: {error}"


def issue_token(settings: TokenSettings, user_id: int, *, ttl_seconds: float, now: float) -> str:
    """Make a token for `user_id`, valid for `ttl_seconds` from `now` (Unix seconds); with a negative time it is expired.

    Raises InvalidSettings where tokens are signed with a private key that we do not have.
    """
    algorithm = next((name for name in settings.algorithms if name in SECRET_BYTES), None)
    if algorithm is None:
        raise InvalidSettings("CARILLON_JWT_ALGORITHMS names no HS algorithm to issue tokens with")
    claims: dict[str, Any] = {"sub": str(user_id), "iat": int(now), "exp": int(now + ttl_seconds)}
    optional = {"iss": settings.issuer, "aud": settings.audience}
    claims |= {name: value for name, value in optional.items() if value is not None}
    key = make_secret_key(settings.secret, algorithm=algorithm)
    return jwt.encode(claims, key.material, algorithm=algorithm)


def is_user_id(sub: object) -> bool:
    """Whether the claim `sub` is a person's id: decimal digits in a string (contract §1)."""
    return isinstance(sub, str) and bool(USER_ID.fullmatch(sub)) and int(sub) <= MAX_ID


def load_keys(settings: TokenSettings) -> list[Key]:
    """The keys that tokens may be signed with. Raises InvalidSettings if an accepted algorithm has none, or a weak one."""
    keys = [
        make_secret_key(settings.secret, algorithm=name)
        for name in settings.algorithms
        if name in SECRET_BYTES
    ]
    if settings.public_key_file is not None:
        keys += read_pem_keys(settings.public_key_file, algorithms=settings.algorithms)
    if settings.jwks_file is not None:
        keys += read_jwks_keys(settings.jwks_file, algorithms=settings.algorithms)
    for name in settings.algorithms:
        if not any(key.algorithm == name for key in keys):
            raise InvalidSettings(
                f"CARILLON_JWT_ALGORITHMS accepts {name}, but there is no key for it"
            )
    return keys
