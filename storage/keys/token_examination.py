"""Why a token is accepted or not, for those who run Carillon: the command `carillon token --check`.

A caller is told less (`tokens.py`). Whether it is accepted is `TokenVerifier`'s to say; this module only finds the reasons.
A token, its signature and our secrets are never part of what is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from jwt.types import Options

from storage.keys.token_keys import Key
from storage.keys.tokens import (
    MAX_TOKEN_LENGTH,
    TokenSettings,
    TokenVerifier,
    is_user_id,
    load_keys,
)
from storage.model.errors import NotSignedIn

_NO_JWT = (
    "It is no JWT: three parts of URL-safe base64 with dots between, the first two of them JSON."
)
_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_OUT_OF_RANGE = (OverflowError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class TokenExamination:
    """What a token says, and why it is refused.

    `user_id` is set only for a token that is accepted, and then `reasons` is empty. `header` and `claims` are what
    stands in the token, whether true or not; empty if it cannot be read.
    """

    user_id: int | None
    reasons: tuple[str, ...]
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def examine_token(settings: TokenSettings, token: str, *, now: float) -> TokenExamination:
    """Whether processes with these settings accept the token at `now` (Unix seconds), and every reason if they do not.

    Raises InvalidSettings as `TokenVerifier` does.
    """
    try:
        verified = TokenVerifier(settings, clock=lambda: now).verify(token)
    except NotSignedIn:
        header, claims = _read(token)
        reasons = tuple(_find_reasons(settings, token, header=header, claims=claims, now=now))
        return TokenExamination(None, reasons or ("It cannot be verified.",), header, claims)
    header, claims = _read(token)
    return TokenExamination(verified.user_id, (), header, claims)


def _read(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The header and the claims of a token, unverified; both empty if it is none."""
    try:
        claims = jwt.decode(token, options={**_SIGNATURE_ONLY, "verify_signature": False})
        return jwt.get_unverified_header(token), claims
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}, {}


def _find_reasons(
    settings: TokenSettings,
    token: str,
    *,
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    now: float,
) -> Iterator[str]:
    if len(token) > MAX_TOKEN_LENGTH:
        yield f"It is longer than {MAX_TOKEN_LENGTH} characters."
    elif not header:
        yield _NO_JWT
    else:
        yield from _find_key_reasons(settings, token, header)
        yield from _find_time_reasons(settings, claims, now=now)
        yield from _find_claim_reasons(settings, claims)


def _find_key_reasons(
    settings: TokenSettings, token: str, header: Mapping[str, Any]
) -> Iterator[str]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in settings.algorithms:
        accepted = ", ".join(settings.algorithms)
        yield f"Its alg is {algorithm}; accepted are: {accepted} (CARILLON_JWT_ALGORITHMS)."
        return
    every = load_keys(settings)
    keys = [key for key in every if key.algorithm == algorithm]
    # Where there is only one key it is tried, whatever the token says of it: as TokenVerifier does.
    is_chosen = len(every) > 1 and kid is not None
    fitting = [key for key in keys if not is_chosen or key.kid in (None, kid)]
    if not fitting:
        known = ", ".join(str(key.kid) for key in keys)
        yield f"There is no key with its kid, {kid}; those for {algorithm} are: {known}."
    elif not any(_is_signed_with(token, key) for key in fitting):
        which = "CARILLON_JWT_SECRET" if str(algorithm).startswith("HS") else "our public keys"
        yield f"The signature is wrong: it was made with a key that does not belong to {which}."


def _is_signed_with(token: str, key: Key) -> bool:
    try:
        jwt.decode(token, key.material, algorithms=[key.algorithm], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


def _find_time_reasons(
    settings: TokenSettings, claims: Mapping[str, Any], *, now: float
) -> Iterator[str]:
    leeway = settings.leeway.total_seconds()
    if claims.get("exp") is None:
        yield "The claim exp is missing."
    elif (expires := _read_instant(claims["exp"])) is None:
        yield "exp must be Unix seconds, a number."
    elif expires + leeway <= now:
        yield f"It expired {now - expires:.0f} seconds ago, at {_format(expires)}."
    if "nbf" in claims:
        begins = _read_instant(claims["nbf"])
        if begins is None:
            yield "nbf must be Unix seconds, a number."
        elif begins > now + leeway:
            yield f"It is not valid before {_format(begins)} (nbf)."


def _find_claim_reasons(settings: TokenSettings, claims: Mapping[str, Any]) -> Iterator[str]:
    if settings.issuer is not None and claims.get("iss") != settings.issuer:
        yield _describe_mismatch(claims, "iss", setting="CARILLON_JWT_ISSUER", of=settings.issuer)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if settings.audience is not None and settings.audience not in audiences:
        yield _describe_mismatch(
            claims, "aud", setting="CARILLON_JWT_AUDIENCE", of=settings.audience
        )
    if not isinstance(claims.get("jti", ""), str):
        yield "jti must be a string."
    if claims.get("sub") is None:
        yield "The claim sub is missing."
    elif not is_user_id(claims["sub"]):
        yield "sub must be the person's platform id, as decimal digits in a string."


def _describe_mismatch(claims: Mapping[str, Any], name: str, *, setting: str, of: str) -> str:
    found = f"{name} is {claims[name]!r}" if name in claims else f"The claim {name} is missing"
    return f"{found}; it must be {of!r} ({setting})."


def _read_instant(value: object) -> float | None:
    """Unix seconds as PyJWT reads them; None for what is no instant of the calendar."""
    try:
        seconds = float(int(value))  # type: ignore[call-overload]
        datetime.fromtimestamp(seconds, UTC)
    except (TypeError, *_OUT_OF_RANGE):
        return None
    return seconds


def _format(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
