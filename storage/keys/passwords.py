"""Passwords of operators at rest: scrypt (RFC 7914), with a salt of its own for each.

Of the standard library, because the console alone checks passwords, a few a minute, and needs no dependency for it.
The parameters stand in every hash, so that they can grow later.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

# 16 MiB of memory, five times over: one of the parameter sets of OWASP's cheat sheet on password storage.
_COST_BITS, _BLOCK, _LANES = 14, 8, 5
_SALT_BYTES, _DIGEST_BYTES = 16, 32
_MEMORY_BYTES = 64 * 1024 * 1024
_FIELDS = 6

SHORTEST = 12
LONGEST = 256


@dataclass(frozen=True, slots=True)
class _Hash:
    cost_bits: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes


def hash_password(password: str) -> str:
    """The text to store for `password`; it differs every time. Takes a good part of a second, on purpose."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _derive(password, salt, cost_bits=_COST_BITS, block=_BLOCK, lanes=_LANES)
    fields = (str(_COST_BITS), str(_BLOCK), str(_LANES), _encode(salt), _encode(digest))
    return "$".join(("scrypt", *fields))


def is_password(password: str, stored: str | None) -> bool:
    """Whether `stored` is the hash of `password`.

    Takes as long for None, which nothing matches: so nobody learns from the time whether there is such an operator. Raises
    nothing for a text that is no hash of ours; it matches nothing either.
    """
    known = _read(stored or "") or _NOBODY
    derived = _derive(
        password, known.salt, cost_bits=known.cost_bits, block=known.block, lanes=known.lanes
    )
    return hmac.compare_digest(derived, known.digest) and known is not _NOBODY


def make_password() -> str:
    """A new password, too random to be guessed and short enough to be typed once."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def _derive(password: str, salt: bytes, *, cost_bits: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << cost_bits,
        r=block,
        p=lanes,
        maxmem=_MEMORY_BYTES,
        dklen=_DIGEST_BYTES,
    )


def _read(stored: str) -> _Hash | None:
    fields = stored.split("$")
    if len(fields) != _FIELDS or fields[0] != "scrypt":
        return None
    try:
        cost_bits, block, lanes = map(int, fields[1:4])
        return _Hash(cost_bits, block, lanes, _decode(fields[4]), _decode(fields[5]))
    except (ValueError, binascii.Error):
        return None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_NOBODY = _Hash(_COST_BITS, _BLOCK, _LANES, bytes(_SALT_BYTES), bytes(_DIGEST_BYTES))
