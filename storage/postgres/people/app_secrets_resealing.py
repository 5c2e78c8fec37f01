"""A new key for the secrets of apps: each is opened with whatever key opens it, and sealed with the first one.

Called by `carillon keys reseal`, when a key of the vault is being replaced.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, select, update

from storage.keys.vault import Vault
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.tables import app_secrets


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many secrets were sealed anew, how many had the first key already, and how many no key opens."""

    renewed: int
    current: int
    unopened: int


def reseal_all(conn: Connection, actor: Actor, *, vault: Vault) -> Resealed:
    """Seal every secret with the vault's first key, so that older keys can be dropped; safe to repeat.

    Secrets that no key opens stay as they are. The audit says who did it.
    """
    rows = conn.execute(select(app_secrets.c.id, app_secrets.c.sealed).with_for_update()).all()
    current = unopened = 0
    renewed = []
    for row in rows:
        if vault.has_sealed(row.sealed):
            current += 1
        elif (secret := vault.open(row.sealed)) is None:
            unopened += 1
        else:
            renewed.append({"row": row.id, "sealed": vault.seal(secret.decode())})
    if renewed:
        row_id = app_secrets.c.id == bindparam("row")
        conn.execute(update(app_secrets).where(row_id).values(sealed=bindparam("sealed")), renewed)
    done = Resealed(len(renewed), current, unopened)
    audit.record(conn, actor, act="secrets.reseal", target="secrets of apps", after=asdict(done))
    return done
