"""App secrets at rest: sealed with a key from the environment, so that a stolen dump signs nothing.

`storage/apps.py` hands its functions on; nobody else touches `app_secrets`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, Integer, any_, delete, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.model.errors import NeverWillWork
from storage.settings import setting, words
from storage.tables import app_secrets

LIVE_SECRETS = 2  # contract §1: the old and the new one, while a secret is being rotated
_SECRET_BYTES = 32  # as long as the digest of HMAC-SHA256 (RFC 2104 §3)


def _keys(text: str) -> tuple[str, ...]:
    keys = words(text)
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
        parse=_keys,
        secret=True,
        help="Fernet key of the app secrets at rest. Several, comma-separated, newest first, while "
        "a key is being replaced: the first seals, any opens.",
    )


class Vault:
    """Seals and opens secrets."""

    def __init__(self, settings: VaultSettings) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in settings.keys])

    def seal(self, secret: str) -> bytes:
        """`secret`, readable again only with one of the keys; different bytes every time."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed; None if none of the keys did it (a key was dropped too early)."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None


def secrets(conn: Connection, id: int, *, vault: Vault) -> tuple[bytes, ...]:
    """The live secrets of the app with this integer id, newest first; empty for an unknown one.

    Raises NeverWillWork if it has some and the vault opens none of them.
    """
    found = secrets_of(conn, [id], vault=vault).get(id, ())
    if isinstance(found, NeverWillWork):
        raise found
    return found


def secrets_of(
    conn: Connection, ids: Iterable[int], *, vault: Vault
) -> dict[int, tuple[bytes, ...] | NeverWillWork]:
    """The live secrets of the apps with these integer ids, newest first; without any, left out.

    Of an app whose secrets the vault cannot open: the error, for its own callers. Index:
    app_secrets_app_id.
    """
    wanted = literal(list(ids), ARRAY(Integer))
    query = select(app_secrets.c.app_id, app_secrets.c.sealed)
    query = query.where(app_secrets.c.app_id == any_(wanted)).order_by(app_secrets.c.id.desc())
    sealed: dict[int, list[bytes]] = {}
    for row in conn.execute(query):
        sealed.setdefault(row.app_id, []).append(row.sealed)
    return {id: _opened(found[:LIVE_SECRETS], vault) for id, found in sealed.items()}


def _opened(sealed: Sequence[bytes], vault: Vault) -> tuple[bytes, ...] | NeverWillWork:
    opened = tuple(secret for one in sealed if (secret := vault.open(one)) is not None)
    return opened or NeverWillWork("The app's secrets cannot be opened with CARILLON_SECRETS_KEY.")


def rotate_secret(conn: Connection, id: int, *, vault: Vault) -> str:
    """Give the app with this integer id a new secret and answer it.

    The newest two stay live (contract §1): the oldest of three stops working on commit.
    """
    secret = token_urlsafe(_SECRET_BYTES)
    conn.execute(insert(app_secrets).values(app_id=id, sealed=vault.seal(secret)))
    kept = select(app_secrets.c.id).where(app_secrets.c.app_id == id)
    kept = kept.order_by(app_secrets.c.id.desc()).limit(LIVE_SECRETS)
    old = (app_secrets.c.app_id == id) & app_secrets.c.id.not_in(kept)
    conn.execute(delete(app_secrets).where(old))
    return secret
