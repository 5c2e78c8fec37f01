"""Why a token is accepted or not: the reasons agree with the verdict that every process gives."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from storage.keys.token_examination import examine_token
from storage.keys.tokens import TokenSettings, TokenVerifier
from storage.model.errors import NotSignedIn
from tests.services import SECRETS

pytestmark = [pytest.mark.quick, pytest.mark.pure]

SECRET = SECRETS["CARILLON_JWT_SECRET"]
PLAIN = TokenSettings(secret=SECRET)
STRICT = TokenSettings(secret=SECRET, issuer="https://id.example.com", audience="carillon")
NOW = int(time.time())
LATER = NOW + 3600


def examine(settings: TokenSettings, claims: dict[str, Any], **signing: Any) -> tuple[str, ...]:
    """The reasons against a token of these claims."""
    how: dict[str, Any] = {"key": SECRET, "algorithm": "HS256"} | signing
    return examine_token(settings, jwt.encode(claims, **how), now=NOW).reasons


def test_each_reason_names_what_to_change() -> None:
    """Each thing that is wrong with a token is one sentence with the value found and the value or setting wanted."""
    good = {"sub": "1", "exp": LATER}
    assert examine(PLAIN, good) == ()
    [alg] = examine(PLAIN, good, algorithm="HS512")
    assert "HS512" in alg
    assert "HS256 (CARILLON_JWT_ALGORITHMS)" in alg
    [signature] = examine(PLAIN, good, key="k" * 64)
    assert "CARILLON_JWT_SECRET" in signature
    [expired] = examine(PLAIN, good | {"exp": NOW - 100})
    assert expired.startswith("It expired 100 seconds ago, at 20")
    [early] = examine(PLAIN, good | {"nbf": LATER})
    assert "not valid before" in early
    issuer, audience = examine(STRICT, good | {"iss": "me"})
    assert issuer.startswith("iss is 'me'; it must be 'https://id.example.com'")
    assert audience.startswith("The claim aud is missing; it must be 'carillon'")
    assert examine(PLAIN, {}) == ("The claim exp is missing.", "The claim sub is missing.")
    assert examine(PLAIN, good | {"sub": "x"})[0].startswith("sub must be")


def test_what_is_no_token_is_said() -> None:
    """Text that is no JWT, and one that is too long, have their sentences and no claims."""
    for text in ("", "x", "a.b.c", "é.é.é"):
        examination = examine_token(PLAIN, text, now=NOW)
        assert examination.reasons[0].startswith("It is no JWT")
        assert (examination.header, examination.claims) == ({}, {})
    assert "longer than" in examine_token(PLAIN, "x" * 9000, now=NOW).reasons[0]


def test_a_kid_that_nobody_has_is_named(tmp_path: Path) -> None:
    """A token whose kid is not among the keys is told which are; one with the right kid is accepted."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("old", "new")}
    entries = [
        ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid}
        for kid, key in keys.items()
    ]
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": entries}))
    settings = TokenSettings(algorithms=("ES256",), jwks_file=file)
    claims = {"sub": "1", "exp": LATER}
    how: dict[str, Any] = {"key": keys["new"], "algorithm": "ES256"}
    [reason] = examine(settings, claims, headers={"kid": "newer"}, **how)
    assert reason == "There is no key with its kid, newer; those for ES256 are: old, new."
    assert examine(settings, claims, headers={"kid": "new"}, **how) == ()
    [wrong] = examine(settings, claims, headers={"kid": "old"}, **how)
    assert "our public keys" in wrong


instants: st.SearchStrategy[Any] = st.sampled_from(
    [NOW - 1e9, NOW - 60, LATER, 1e30, -1, "1", "x", None, True, [], 2.5]
)
texts: st.SearchStrategy[Any] = st.sampled_from(
    ["1", "x", "", "0", "9" * 17, 1, None, ["carillon"], "carillon", STRICT.issuer]
)


@given(
    claims=st.fixed_dictionaries(
        {},
        optional={
            "sub": texts,
            "exp": instants,
            "nbf": instants,
            "iat": instants,
            "jti": texts,
            "aud": texts,
            "iss": st.sampled_from([STRICT.issuer, "me", "", None]),
        },
    ),
    key=st.sampled_from([SECRET, "k" * 64]),
    settings=st.sampled_from([PLAIN, STRICT]),
)
def test_reasons_agree_with_the_verdict(
    claims: dict[str, Any], key: str, settings: TokenSettings
) -> None:
    """A token has reasons exactly if the verifier refuses it, and never the one that nobody can act on."""
    text = jwt.api_jws.encode(json.dumps(claims).encode(), key)
    verified: int | None = None
    with suppress(NotSignedIn):
        verified = TokenVerifier(settings).verify(text).user_id
    examination = examine_token(settings, text, now=time.time())
    assert examination.user_id == verified
    assert bool(examination.reasons) is (verified is None)
    assert "It cannot be verified." not in examination.reasons
