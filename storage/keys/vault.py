"""App secrets at rest: sealed with a key from the environment, so that a stolen dump signs nothing.

The rows that hold them are `storage/postgres/people/app_secrets.py`'s.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from storage.setting_parsers import comma_separated
from storage.settings import setting


def _parse_keys(text: str) -> tuple[str, ...]:
    keys = comma_separated(text)
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ValueError("every key must be 32 bytes in URL-safe base64") from None
    if not keys:
        raise ValueError("must hold at least one key")
    return keys


# No generated repr: it would show the keys in a traceback or a log.
@dataclass(frozen=True, slots=True, repr=False)
class VaultSettings:
    """The keys that app secrets are sealed with."""

    keys: tuple[str, ...] = setting(
        "CARILLON_SECRETS_KEY",
        parse=_parse_keys,
        secret=True,
        help="Fernet key of the app secrets at rest. Several, comma-separated, newest first, while "
        "a key is being replaced: the first seals, any opens.",
    )


class Vault:
    """Encrypts secrets for storage, and decrypts them."""

    def __init__(self, settings: VaultSettings) -> None:
        self._first = Fernet(settings.keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in settings.keys])
        self._first_key = settings.keys[0].encode()

    def derive_key(self, purpose: str) -> bytes:
        """A key of its own for `purpose`, made from the first key: another when that is replaced."""
        return hmac.new(self._first_key, purpose.encode(), hashlib.sha256).digest()

    def seal(self, secret: str) -> bytes:
        """Encrypt `secret` with the first key. The bytes differ every time."""
        return self._fernet.encrypt(secret.encode())

    def has_sealed(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the first key, the one that `seal` uses."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def open(self, sealed: bytes) -> bytes | None:
        """Decrypt what `seal` made; None if none of the keys fits (a key was dropped too early)."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None
