"""Tokens: valid ones are recognised, all others are refused with a sentence that does not quote them."""

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from storage.keys.tokens import TokenSettings, TokenVerifier, issue_token
from storage.model.error_codes import ErrorCode
from storage.model.errors import InvalidSettings, NotSignedIn
from storage.settings import load

pytestmark = pytest.mark.pure

SECRET = "correct horse battery staple, 32+"
SETTINGS = TokenSettings(secret=SECRET)
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def sign_token(
    key: Any = SECRET, algorithm: str = "HS256", *, without: str = "", **claims: Any
) -> str:
    """A token for user 7, valid for a minute, with these changes."""
    whole = {"sub": "7", "exp": int(time.time()) + 60, **claims}
    whole.pop(without, None)
    return jwt.encode(whole, key, algorithm)


def raw(header: dict[str, Any], claims: Any, signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(jwt.utils.base64url_encode(part).decode() for part in parts)


def pem(key: Any) -> bytes:
    """The public half of a key."""
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def hmac_with_public_key() -> str:
    """The classic confusion: HS256 with the public key's text as the secret (RFC 8725 §2.1)."""
    unsigned = raw({"alg": "HS256"}, {"sub": "7", "exp": int(time.time()) + 60}).rpartition(".")[0]
    digest = hmac.digest(pem(RSA_KEY), unsigned.encode(), "sha256")
    return f"{unsigned}.{jwt.utils.base64url_encode(digest).decode()}"


def tamper() -> str:
    """A good signature under other claims."""
    header, _, signature = sign_token().split(".")
    claims = raw({}, {"sub": "8", "exp": int(time.time()) + 60}).split(".")[1]
    return f"{header}.{claims}.{signature}"


BAD: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no token at all": lambda: "hello",
    "one dot": lambda: "a.b",
    "not base64": lambda: "!.!.!",
    "not ASCII": lambda: "令牌.令牌.令牌",
    "a lone surrogate": lambda: "\ud800",
    "endless": lambda: sign_token(pad="x" * 10_000),
    "deeply nested": lambda: raw({"alg": "HS256"}, "[" * 5000),
    "alg none": lambda: raw({"alg": "none"}, {"sub": "7", "exp": 9_999_999_999}),
    "alg None, signature kept": lambda: raw({"alg": "None"}, {"sub": "7", "exp": 9**9}, b"x"),
    "no alg": lambda: raw({}, {"sub": "7", "exp": 9_999_999_999}),
    "HS512 where HS256 is accepted": lambda: sign_token("x" * 64, "HS512"),
    "RS256 where HS256 is accepted": lambda: sign_token(RSA_KEY, "RS256"),
    "another secret": lambda: sign_token("another secret, but also long enough"),
    "signature cut off": lambda: sign_token().rpartition(".")[0] + ".",
    "tampered claims": tamper,
    "expired": lambda: sign_token(exp=int(time.time()) - 1),
    "no exp": lambda: sign_token(without="exp"),
    "exp is text": lambda: sign_token(exp="tomorrow"),
    "exp is not finite": lambda: sign_token(exp=float("inf")),
    "exp in milliseconds": lambda: sign_token(exp=int(time.time() * 1000)),
    "not valid yet": lambda: sign_token(nbf=int(time.time()) + 60),
    "no sub": lambda: sign_token(without="sub"),
    "sub is a number": lambda: raw_signed({"sub": 7, "exp": int(time.time()) + 60}),
    "sub is empty": lambda: sign_token(sub=""),
    "sub is zero": lambda: sign_token(sub="0"),
    "sub is negative": lambda: sign_token(sub="-7"),
    "sub is padded": lambda: sign_token(sub=" 7"),
    "sub has a newline": lambda: sign_token(sub="7\n"),
    "sub in other digits": lambda: sign_token(sub="７"),
    "sub is past the ids": lambda: sign_token(sub=str(2**53)),
    "claims are a list": lambda: jwt.api_jws.encode(b"[1]", SECRET, "HS256"),
    "an unknown critical header": lambda: jwt.encode(
        {"sub": "7", "exp": int(time.time()) + 60}, SECRET, "HS256", {"crit": ["x"], "x": 1}
    ),
}


def raw_signed(claims: Any) -> str:
    """Claims that `jwt.encode` would not take."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, "HS256")


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_not_signed_in(make: Callable[[], str]) -> None:
    """Every kind of bad token raises NotSignedIn; neither its sentence nor the reason for the log quotes the token."""
    bad = make()
    with pytest.raises(NotSignedIn) as caught:
        TokenVerifier(SETTINGS).verify(bad)
    assert caught.value.detail in {ErrorCode.NOT_SIGNED_IN.meaning, "The token has expired."}
    assert len(caught.value.reason) < 200
    assert not [part for part in bad.split(".") if len(part) > 8 and part in caught.value.reason]


def test_a_good_token_is_its_user_until_it_ends() -> None:
    """What `issue_token` makes, `verify` accepts, with the same user and end."""
    now = time.time()
    verified = TokenVerifier(SETTINGS).verify(
        issue_token(SETTINGS, 2**53 - 1, ttl_seconds=60, now=now)
    )
    assert verified.user_id == 2**53 - 1
    assert verified.expires_at.timestamp() == int(now + 60)


def test_a_token_that_was_verified_before_still_ends() -> None:
    """The memory of good tokens does not outlive their `exp`."""
    now = [time.time()]
    verifier = TokenVerifier(SETTINGS, clock=lambda: now[0])
    good = sign_token()
    verifier.verify(good)
    now[0] += 61
    with pytest.raises(NotSignedIn, match="expired"):
        verifier.verify(good)


def test_leeway_extends_a_token() -> None:
    """With leeway, a token holds that much longer, and says so in `expires_at`."""
    verifier = TokenVerifier(replace(SETTINGS, leeway=timedelta(seconds=30)))
    ended = int(time.time()) - 10
    assert verifier.verify(sign_token(exp=ended)).expires_at.timestamp() == ended + 30


def test_issuer_and_audience_count_when_set() -> None:
    """With CARILLON_JWT_ISSUER and _AUDIENCE set, only tokens that carry both are good."""
    settings = replace(SETTINGS, issuer="us", audience="carillon")
    verifier = TokenVerifier(settings)
    assert verifier.verify(sign_token(iss="us", aud=["other", "carillon"])).user_id == 7
    assert verifier.verify(issue_token(settings, 9, ttl_seconds=9, now=time.time())).user_id == 9
    for claims in ({}, {"iss": "us"}, {"aud": "carillon"}, {"iss": "them", "aud": "carillon"}):
        with pytest.raises(NotSignedIn):
            verifier.verify(sign_token(**claims))


def test_issuer_and_audience_do_not_count_when_not_set() -> None:
    """Without the settings, a token may carry any `iss` and `aud`, and an `iat` ahead of our clock."""
    good = sign_token(iss="them", aud="theirs", iat=int(time.time()) + 5)
    assert TokenVerifier(SETTINGS).verify(good).user_id == 7


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA_KEY, "RS256"), (RSA_KEY, "PS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")],
)
def test_a_public_key_verifies_its_own_algorithm(tmp_path: Path, key: Any, algorithm: str) -> None:
    """With a PEM key, tokens of its private half are good, and HMACs with its text are not."""
    (tmp_path / "key.pem").write_bytes(pem(key))
    settings = TokenSettings((algorithm,), public_key_file=tmp_path / "key.pem", secret=SECRET)
    verifier = TokenVerifier(settings)
    assert verifier.verify(sign_token(key, algorithm)).user_id == 7
    for bad in (sign_token(), hmac_with_public_key()):
        with pytest.raises(NotSignedIn):
            verifier.verify(bad)


def test_a_secret_and_a_public_key_side_by_side_are_not_mixed_up(tmp_path: Path) -> None:
    """With HS256 and RS256 both accepted, the public key's text is still no secret."""
    (tmp_path / "key.pem").write_bytes(pem(RSA_KEY))
    settings = TokenSettings(("HS256", "RS256"), SECRET, public_key_file=tmp_path / "key.pem")
    verifier = TokenVerifier(settings)
    assert (
        verifier.verify(sign_token()).user_id
        == verifier.verify(sign_token(RSA_KEY, "RS256")).user_id
    )
    with pytest.raises(NotSignedIn):
        verifier.verify(hmac_with_public_key())


def jwks(tmp_path: Path) -> Path:
    """Three keys for signatures, one for encryption, and a secret that must not be there."""
    other = rsa.generate_private_key(65537, 2048)
    keys = [
        RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": "a", "alg": "RS256"},
        ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "b", "use": "sig"},
        OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True) | {"kid": "c"},
        RSAAlgorithm.to_jwk(other.public_key(), as_dict=True) | {"kid": "d", "use": "enc"},
        {"kty": "oct", "k": jwt.utils.base64url_encode(SECRET.encode()).decode(), "kid": "e"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": keys}))
    return path


def test_a_jwks_file_is_chosen_from_by_kid(tmp_path: Path) -> None:
    """Each key verifies the tokens of its `kid`, or without one; never those of another `kid`."""
    settings = TokenSettings(("RS256", "ES256", "EdDSA"), jwks_file=jwks(tmp_path))
    verifier = TokenVerifier(settings)
    claims = {"sub": "7", "exp": int(time.time()) + 60}
    for key, algorithm, kid in (
        (RSA_KEY, "RS256", "a"),
        (EC_KEY, "ES256", "b"),
        (ED_KEY, "EdDSA", "c"),
    ):
        assert verifier.verify(jwt.encode(claims, key, algorithm, {"kid": kid})).user_id == 7
        assert verifier.verify(jwt.encode(claims, key, algorithm)).user_id == 7
        with pytest.raises(NotSignedIn):
            verifier.verify(jwt.encode(claims, key, algorithm, {"kid": "z"}))


def test_keys_overlap_while_one_is_replaced(tmp_path: Path) -> None:
    """With both keys in the JWKS file tokens of the old and the new one are taken; when the old one is out, only the new."""
    other_key = ec.generate_private_key(ec.SECP256R1())
    old, new = (
        ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "ES256"}
        for key, kid in ((EC_KEY, "old"), (other_key, "new"))
    )
    path = tmp_path / "jwks.json"
    settings = TokenSettings(("ES256",), jwks_file=path)
    claims = {"sub": "7", "exp": time.time() + 60}
    tokens = {
        "old": jwt.encode(claims, EC_KEY, "ES256", {"kid": "old"}),
        "new": jwt.encode(claims, other_key, "ES256", {"kid": "new"}),
    }
    path.write_text(json.dumps({"keys": [old, new]}))
    verifier = TokenVerifier(settings)
    assert all(verifier.verify(token).user_id == 7 for token in tokens.values())
    path.write_text(json.dumps({"keys": [new]}))
    verifier = TokenVerifier(settings)
    assert verifier.verify(tokens["new"]).user_id == 7
    with pytest.raises(NotSignedIn):
        verifier.verify(tokens["old"])


def test_a_secret_in_a_jwks_file_signs_nothing(tmp_path: Path) -> None:
    """A symmetric key among public ones is left out, and HS256 then has no key."""
    settings = TokenSettings(("HS256",), SECRET, jwks_file=jwks(tmp_path))
    with pytest.raises(NotSignedIn):
        TokenVerifier(replace(settings, secret="x" * 32)).verify(sign_token())


SMALL = rsa.generate_private_key(65537, 1024)


@pytest.mark.parametrize(
    "settings",
    [
        TokenSettings(),
        TokenSettings(secret="short"),
        TokenSettings(("HS512",), secret=SECRET),
        TokenSettings(("RS256",), secret=SECRET),
        TokenSettings(("RS256",), public_key_file=Path("/nowhere")),
        TokenSettings(("RS256",), jwks_file=Path("/nowhere")),
    ],
)
def test_a_missing_or_weak_key_stops_the_start(settings: TokenSettings) -> None:
    """No process starts with tokens that anyone could make, or that none could (RFC 7518 §3.2)."""
    with pytest.raises(InvalidSettings) as caught:
        TokenVerifier(settings)
    assert SECRET not in caught.value.detail


@pytest.mark.parametrize("key", [SMALL, EC_KEY], ids=["1024 bits", "another kind of key"])
def test_a_key_that_does_not_fit_stops_the_start(tmp_path: Path, key: Any) -> None:
    """An RSA key of 1024 bits, or a key of another kind than the algorithm's, is InvalidSettings."""
    (tmp_path / "key.pem").write_bytes(pem(key))
    with pytest.raises(InvalidSettings):
        TokenVerifier(TokenSettings(("RS256",), public_key_file=tmp_path / "key.pem"))


def test_a_public_key_for_a_secret_stops_the_start() -> None:
    """A public key as the secret raises InvalidSettings, because anyone could sign with it (RFC 8725 §2.1)."""
    with pytest.raises(InvalidSettings, match="CARILLON_JWT_SECRET"):
        TokenVerifier(TokenSettings(secret=pem(RSA_KEY).decode()))


def test_a_private_key_file_is_refused(tmp_path: Path) -> None:
    """A private key where the public one belongs is InvalidSettings, not silently used."""
    text = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(text)
    with pytest.raises(InvalidSettings):
        TokenVerifier(TokenSettings(("RS256",), public_key_file=tmp_path / "key.pem"))


@pytest.mark.parametrize("names", ["none", "HS256,none", "hs256", ","])
def test_only_known_algorithms_can_be_set(names: str) -> None:
    """CARILLON_JWT_ALGORITHMS takes no `none` and no misspelling."""
    with pytest.raises(InvalidSettings, match="CARILLON_JWT_ALGORITHMS"):
        load(TokenSettings, {"CARILLON_JWT_ALGORITHMS": names, "CARILLON_JWT_SECRET": SECRET})


def test_tokens_are_not_issued_where_others_sign() -> None:
    """Without an HS algorithm among the accepted ones, issuing a token raises InvalidSettings."""
    with pytest.raises(InvalidSettings):
        issue_token(TokenSettings(("RS256",)), 7, ttl_seconds=1, now=time.time())
