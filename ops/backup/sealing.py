"""Secrets under a passphrase: scrypt makes the key (RFC 7914), AES-256-GCM seals them (NIST SP 800-38D)."""

import json
import os
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from storage.model.errors import NotAllowed, PermanentError

# A guess costs an attacker 128 MiB of memory and a good part of a second. They stand in the sealed text too, so that
# later releases may ask for more.
_COST, _BLOCK_SIZE, _PARALLEL = 2**17, 8, 1
# What the sealed text of a stranger may ask of us.
_MOST_COST, _MOST_BLOCK_SIZE, _MOST_PARALLEL = 2**20, 16, 4
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12


def seal(plain: bytes, passphrase: str, *, bound_to: bytes) -> bytes:
    """Encrypt `plain`. It can be opened only with `passphrase`, and only together with the very same `bound_to`."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    key = _derive_key(passphrase, salt, cost=(_COST, _BLOCK_SIZE, _PARALLEL))
    sealed = {
        "cost": [_COST, _BLOCK_SIZE, _PARALLEL],
        "salt": b64encode(salt).decode(),
        "nonce": b64encode(nonce).decode(),
        "sealed": b64encode(AESGCM(key).encrypt(nonce, plain, bound_to)).decode(),
    }
    return json.dumps(sealed).encode()


def open_sealed(sealed: bytes, passphrase: str, *, bound_to: bytes) -> bytes:
    """Decrypt what `seal` made.

    Raises NotAllowed if the passphrase is another one, or `bound_to` is; PermanentError if it is nothing sealed.
    """
    try:
        fields = json.loads(sealed)
        cost, block_size, parallel = map(int, fields["cost"])
        salt, nonce, secret = (b64decode(fields[name]) for name in ("salt", "nonce", "sealed"))
    except (ValueError, KeyError, TypeError):
        raise PermanentError("The backup's secrets cannot be read.") from None
    if cost > _MOST_COST or block_size > _MOST_BLOCK_SIZE or parallel > _MOST_PARALLEL:
        raise PermanentError("The backup's secrets cannot be read.")
    try:
        key = _derive_key(passphrase, salt, cost=(cost, block_size, parallel))
        return AESGCM(key).decrypt(nonce, secret, bound_to)
    except InvalidTag:
        raise NotAllowed("The passphrase is wrong, or the backup was changed.") from None
    except ValueError:
        raise PermanentError("The backup's secrets cannot be read.") from None


def _derive_key(passphrase: str, salt: bytes, *, cost: tuple[int, int, int]) -> bytes:
    number, block_size, parallel = cost
    scrypt = Scrypt(salt=salt, length=_KEY_BYTES, n=number, r=block_size, p=parallel)
    return scrypt.derive(passphrase.encode())
