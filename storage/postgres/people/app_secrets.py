"""The secrets of business apps, sealed by the vault: at most two of an app are valid at once (contract §1).

`apps.py` offers these functions too. Nothing else reads or writes the table `app_secrets`.
"""

from collections.abc import Iterable, Sequence
from secrets import token_urlsafe

from sqlalchemy import Connection, Integer, any_, delete, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.keys.vault import Vault
from storage.model.errors import PermanentError
from storage.postgres.tables import app_secrets

LIVE_SECRETS = 2  # the old and the new one, while a secret is being rotated (contract §1)
_SECRET_BYTES = 32  # as long as the digest of HMAC-SHA256 (RFC 2104 §3)


def find_secrets(conn: Connection, id: int, *, vault: Vault) -> tuple[bytes, ...]:
    """The valid secrets of the app with this integer id, newest first; empty for an unknown app.

    Raises PermanentError if it has secrets and the vault opens none of them. Index: app_secrets_app_id.
    """
    found = find_secrets_of_many(conn, [id], vault=vault).get(id, ())
    if isinstance(found, PermanentError):
        raise found
    return found


def find_secrets_of_many(
    conn: Connection, ids: Iterable[int], *, vault: Vault
) -> dict[int, tuple[bytes, ...] | PermanentError]:
    """The valid secrets of the apps with these integer ids, newest first; an app without any is left out.

    An app whose secrets the vault cannot open has the error instead, so that only its own calls fail. Index:
    app_secrets_app_id.
    """
    wanted = literal(list(ids), ARRAY(Integer))
    query = select(app_secrets.c.app_id, app_secrets.c.sealed)
    query = query.where(app_secrets.c.app_id == any_(wanted)).order_by(app_secrets.c.id.desc())
    sealed: dict[int, list[bytes]] = {}
    for row in conn.execute(query):
        sealed.setdefault(row.app_id, []).append(row.sealed)
    return {id: _open_all(found[:LIVE_SECRETS], vault) for id, found in sealed.items()}


def _open_all(sealed: Sequence[bytes], vault: Vault) -> tuple[bytes, ...] | PermanentError:
    opened = tuple(secret for one in sealed if (secret := vault.open(one)) is not None)
    return opened or PermanentError("The app's secrets cannot be opened with CARILLON_SECRETS_KEY.")


def rotate_secret(conn: Connection, id: int, *, vault: Vault) -> str:
    """Give the app with this integer id a new secret, and return it.

    The newest two are valid (contract §1); a third one is deleted, and stops working on commit.
    """
    secret = token_urlsafe(_SECRET_BYTES)
    conn.execute(insert(app_secrets).values(app_id=id, sealed=vault.seal(secret)))
    kept = select(app_secrets.c.id).where(app_secrets.c.app_id == id)
    kept = kept.order_by(app_secrets.c.id.desc()).limit(LIVE_SECRETS)
    old = (app_secrets.c.app_id == id) & app_secrets.c.id.not_in(kept)
    conn.execute(delete(app_secrets).where(old))
    return secret
