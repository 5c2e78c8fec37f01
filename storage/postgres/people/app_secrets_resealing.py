"""A new key for the secrets of apps, and for the keys of their callbacks: each is opened with whatever key opens it, and sealed with the first one.

Called by `carillon keys reseal`, when a key of the vault is being replaced.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Table, bindparam, select, update

from storage.keys.vault import Vault
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.tables import app_callback_secrets, app_secrets


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
    by_table = [_reseal(conn, table, vault) for table in (app_secrets, app_callback_secrets)]
    done = Resealed(
        sum(one.renewed for one in by_table),
        sum(one.current for one in by_table),
        sum(one.unopened for one in by_table),
    )
    audit.record(conn, actor, act="secrets.reseal", target="secrets of apps", after=asdict(done))
    return done


def _reseal(conn: Connection, table: Table, vault: Vault) -> Resealed:
    rows = conn.execute(select(table.c.id, table.c.sealed).with_for_update()).all()
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
        row_id = table.c.id == bindparam("row")
        conn.execute(update(table).where(row_id).values(sealed=bindparam("sealed")), renewed)
    return Resealed(len(renewed), current, unopened)
