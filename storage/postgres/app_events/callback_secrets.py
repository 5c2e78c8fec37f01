"""The keys that calls of apps' URLs are signed with, as Standard Webhooks writes them (`whsec_…`), sealed by the vault.

Nothing else reads or writes the table `app_callback_secrets`, but for what a new key of the vault needs
(`storage/postgres/people/app_secrets_resealing.py`).
"""

from base64 import b64encode
from datetime import datetime, timedelta
from secrets import token_bytes

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from storage.keys.vault import Vault
from storage.model.errors import PermanentError
from storage.postgres.tables import app_callback_secrets, app_callbacks

_PREFIX = "whsec_"
_KEY_BYTES = 32  # Standard Webhooks: 24 to 64
LIVE_SECRETS = 2  # the old and the new one, while a key is being replaced
# For that long the receiver may know only the old key.
OLD_SECRET_LIVES = timedelta(hours=24)

_IS_LIVE = or_(
    app_callback_secrets.c.ends_at.is_(None),
    app_callback_secrets.c.ends_at > func.clock_timestamp(),
)


def find_callback_secrets(connection: Connection, app_id: int, *, vault: Vault) -> tuple[str, ...]:
    """The valid `whsec_…` keys of the app with this integer id, newest first; empty if it has none.

    Raises PermanentError if it has keys and the vault opens none of them. Index app_callback_secrets_app_id.
    """
    of_app = select(app_callback_secrets.c.sealed).where(
        app_callback_secrets.c.app_id == app_id, _IS_LIVE
    )
    newest = of_app.order_by(app_callback_secrets.c.id.desc()).limit(LIVE_SECRETS)
    sealed = connection.execute(newest).scalars().all()
    opened = tuple(key.decode() for one in sealed if (key := vault.open(one)) is not None)
    if sealed and not opened:
        raise PermanentError("The keys of its calls cannot be opened with CARILLON_SECRETS_KEY.")
    return opened


def has_secret(connection: Connection, app_id: int) -> bool:
    """Whether the app has a valid key, also one that no key of the vault opens. Index app_callback_secrets_app_id."""
    of_app = app_callback_secrets.c.app_id == app_id
    return bool(connection.execute(select(exists().where(of_app, _IS_LIVE))).scalar_one())


def rotate_callback_secret(
    connection: Connection, app_id: int, *, vault: Vault, old_ends_at: datetime | None = None
) -> str:
    """Give the app's calls a new `whsec_…` key, and return it; nobody can read it again.

    Calls are signed with the one before too, until `old_ends_at` (None: for a day), and with older ones no more.
    """
    callback = select(app_callbacks.c.app_id).where(app_callbacks.c.app_id == app_id)
    connection.execute(callback.with_for_update())
    secret = _PREFIX + b64encode(token_bytes(_KEY_BYTES)).decode()
    of_app = app_callback_secrets.c.app_id == app_id
    day = func.clock_timestamp() + OLD_SECRET_LIVES
    # What ends earlier already is not lengthened: least() passes over NULL.
    ends_at = func.least(
        app_callback_secrets.c.ends_at, day if old_ends_at is None else old_ends_at
    )
    connection.execute(update(app_callback_secrets).where(of_app).values(ends_at=ends_at))
    connection.execute(
        insert(app_callback_secrets).values(app_id=app_id, sealed=vault.seal(secret))
    )
    newest = select(app_callback_secrets.c.id).where(of_app, _IS_LIVE)
    kept = newest.order_by(app_callback_secrets.c.id.desc()).limit(LIVE_SECRETS)
    connection.execute(
        delete(app_callback_secrets).where(of_app, app_callback_secrets.c.id.not_in(kept))
    )
    return secret
