"""The secrets of business apps, sealed by the vault: at most two of an app are valid at once (contract §1).

`apps.py` offers these functions too. Nothing else reads or writes the table `app_secrets`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import (
    Connection,
    Integer,
    any_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from storage.keys.vault import Vault
from storage.model.errors import PermanentError
from storage.postgres.tables import app_secrets

LIVE_SECRETS = 2  # the old and the new one, while a secret is being rotated (contract §1)
_SECRET_BYTES = 32  # as long as the digest of HMAC-SHA256 (RFC 2104 §3)


_IS_LIVE = or_(app_secrets.c.ends_at.is_(None), app_secrets.c.ends_at > func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class LiveSecret:
    """When a valid secret of an app was made, and when it ends; None: when there are two newer ones."""

    created_at: datetime
    ends_at: datetime | None


def list_live(conn: Connection) -> dict[int, list[LiveSecret]]:
    """What is known of the valid secrets of every app, newest first, by the app's integer id; never a secret itself.

    Apps are few: the table is read in full.
    """
    live: dict[int, list[LiveSecret]] = {}
    for row in conn.execute(select(app_secrets).where(_IS_LIVE).order_by(app_secrets.c.id.desc())):
        live.setdefault(row.app_id, []).append(LiveSecret(row.created_at, row.ends_at))
    return {id: found[:LIVE_SECRETS] for id, found in live.items()}


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
    query = query.where(app_secrets.c.app_id == any_(wanted), _IS_LIVE)
    query = query.order_by(app_secrets.c.id.desc())
    sealed: dict[int, list[bytes]] = {}
    for row in conn.execute(query):
        sealed.setdefault(row.app_id, []).append(row.sealed)
    return {id: _open_all(found[:LIVE_SECRETS], vault) for id, found in sealed.items()}


def _open_all(sealed: Sequence[bytes], vault: Vault) -> tuple[bytes, ...] | PermanentError:
    opened = tuple(secret for one in sealed if (secret := vault.open(one)) is not None)
    return opened or PermanentError("The app's secrets cannot be opened with CARILLON_SECRETS_KEY.")


def rotate_secret(
    conn: Connection,
    id: int,
    *,
    vault: Vault,
    old_ends_at: datetime | None = None,
    is_only: bool = False,
) -> str:
    """Give the app with this integer id a new secret, and return it.

    The one before stays valid, until `old_ends_at` if that is given; with `is_only` it stops on commit, as older ones
    always do (contract §1). Ingest learns it within CARILLON_LOOKUP_LIFETIME_SECONDS.
    """
    secret = token_urlsafe(_SECRET_BYTES)
    conn.execute(insert(app_secrets).values(app_id=id, sealed=vault.seal(secret)))
    of_app = app_secrets.c.app_id == id
    newest = select(app_secrets.c.id).where(of_app, _IS_LIVE).order_by(app_secrets.c.id.desc())
    kept = newest.limit(1 if is_only else LIVE_SECRETS)
    conn.execute(delete(app_secrets).where(of_app, app_secrets.c.id.not_in(kept)))
    if old_ends_at is not None:
        # What ends earlier already is not lengthened: least() passes over NULL.
        changed = update(app_secrets).where(of_app, app_secrets.c.id.not_in(newest.limit(1)))
        conn.execute(changed.values(ends_at=func.least(app_secrets.c.ends_at, old_ends_at)))
    return secret
