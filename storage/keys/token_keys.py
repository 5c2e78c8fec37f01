"""The keys that tokens are verified with, each bound to its algorithm before any token is seen.

Built once by `storage/keys/tokens.py`. A token chooses among these and can add nothing: neither an
algorithm nor a key (RFC 8725 §3.1, §3.10).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidKeyError, PyJWTError
from jwt.utils import base64url_encode

from storage.model.errors import InvalidSettings

# RFC 7518 §3.2: an HMAC key is at least as long as the hash's output, in bytes.
SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
HASHES = {
    "HS256": HMACAlgorithm.SHA256,
    "HS384": HMACAlgorithm.SHA384,
    "HS512": HMACAlgorithm.SHA512,
}
RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
# RFC 7518 §3.4: one curve an algorithm.
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
EDDSA = "EdDSA"
ALGORITHMS = frozenset({*SECRET_BYTES, *RSA_ALGORITHMS, *CURVES, EDDSA})
MIN_RSA_BITS = 2048  # RFC 7518 §3.3


@dataclass(frozen=True, slots=True)
class Key:
    """One key for one algorithm; `kid` is None unless a JWKS file names it."""

    algorithm: str
    kid: str | None
    material: Any


def make_secret_key(secret: str, *, algorithm: str) -> Key:
    """Make the key of the deployment's secret. Raises InvalidSettings if it is shorter than RFC 7518 §3.2 asks."""
    needed = SECRET_BYTES[algorithm]
    if len(secret.encode()) < needed:
        raise InvalidSettings(
            f"CARILLON_JWT_SECRET must be set and at least {needed} bytes long for {algorithm}"
        )
    encoded = base64url_encode(secret.encode()).decode()
    key = PyJWK({"kty": "oct", "k": encoded}, algorithm)
    try:
        key.Algorithm.prepare_key(key.key)
    except InvalidKeyError as error:
        raise InvalidSettings("CARILLON_JWT_SECRET is a public key or a certificate") from error
    key.Algorithm = _CheckedSecret(HASHES[algorithm])
    return Key(algorithm, None, key)


class _CheckedSecret(HMACAlgorithm):
    """PyJWT's HMAC, for a secret that was checked once.

    PyJWT itself checks with every token whether the secret looks like a public key or a certificate, which costs as
    much as the token.
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        """The secret as bytes, without checking it again."""
        return key if isinstance(key, bytes) else key.encode()


def read_pem_keys(path: Path, *, algorithms: tuple[str, ...]) -> list[Key]:
    """Read a PEM public key: one `Key` for each of `algorithms` that its type serves. Raises InvalidSettings."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise InvalidSettings("CARILLON_JWT_PUBLIC_KEY_FILE is not a PEM public key") from error
    return list(_bind(public, None, algorithms))


def read_jwks_keys(path: Path, *, algorithms: tuple[str, ...]) -> list[Key]:
    """Read the public signature keys of a JWKS file (RFC 7517); other keys in it are left out. Raises InvalidSettings."""
    try:
        entries = json.loads(path.read_bytes())["keys"]
        return [key for entry in entries for key in _from_jwk(entry, algorithms)]
    except (OSError, ValueError, KeyError, TypeError, PyJWTError) as error:
        raise InvalidSettings("CARILLON_JWT_JWKS_FILE is not a JWKS file") from error


def _from_jwk(entry: dict[str, Any], algorithms: tuple[str, ...]) -> Iterator[Key]:
    if entry["kty"] == "oct" or entry.get("use", "sig") != "sig":
        return
    stated = entry.get("alg")
    wanted = tuple(name for name in algorithms if stated in (None, name))
    if wanted:
        yield from _bind(PyJWK(entry).key, entry.get("kid"), wanted)


def _bind(public: Any, kid: str | None, algorithms: tuple[str, ...]) -> Iterator[Key]:
    for algorithm in algorithms:
        if _is_for(public, algorithm):
            yield Key(algorithm, kid, public)


def _is_for(public: Any, algorithm: str) -> bool:
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < MIN_RSA_BITS:
            raise InvalidSettings(f"an RSA key of tokens must have at least {MIN_RSA_BITS} bits")
        return algorithm in RSA_ALGORITHMS
    if isinstance(public, ec.EllipticCurvePublicKey):
        return CURVES.get(algorithm) == public.curve.name
    if isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return algorithm == EDDSA
    return False
