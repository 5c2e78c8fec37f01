"""A vault's key is replaced without an app noticing."""

from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from storage.keys.vault import Vault, VaultSettings
from storage.model.operator import Actor, Role
from storage.postgres.app_events import callback_secrets, callbacks
from storage.postgres.people import apps
from storage.postgres.people.app_secrets_resealing import Resealed, reseal_all
from storage.postgres.people.apps import NewApp

ME = Actor("cli:root", Role.ADMIN)
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def vault(*keys: str) -> Vault:
    """A vault with these keys, the newest first."""
    return Vault(VaultSettings(keys=keys))


def test_every_secret_opens_with_the_new_key_alone(engine: Engine) -> None:
    """After resealing the old key is needed for nothing, secrets are the same, and repeating changes nothing."""
    with engine.begin() as connection:
        app, first = apps.add(connection, NewApp("oa", "OA", "https://oa.cn/cb"), vault=vault(OLD))
        second = apps.rotate_secret(connection, app.id, vault=vault(OLD))
        done = reseal_all(connection, ME, vault=vault(NEW, OLD))
        assert done == Resealed(renewed=2, current=0, unopened=0)
        found = apps.find_secrets(connection, app.id, vault=vault(NEW))
        assert found == (second.encode(), first.encode())
        assert reseal_all(connection, ME, vault=vault(NEW, OLD)) == Resealed(0, 2, 0)
        acts = connection.execute(text("SELECT who, act FROM audit")).all()
        assert [tuple(row) for row in acts] == [("cli:root", "secrets.reseal")] * 2


def test_what_no_key_opens_stays_as_it_is(engine: Engine) -> None:
    """A secret of a key that was dropped too early is counted, and opens again when that key comes back."""
    with engine.begin() as connection:
        app, secret = apps.add(connection, NewApp("a", "A", "https://a.cn/cb"), vault=vault(LOST))
        assert reseal_all(connection, ME, vault=vault(NEW, OLD)) == Resealed(0, 0, 1)
        assert apps.find_secrets(connection, app.id, vault=vault(LOST)) == (secret.encode(),)


def test_the_keys_of_callbacks_are_resealed_too(engine: Engine) -> None:
    """The key that an app's callbacks are signed with opens with the new key alone, and is the same."""
    with engine.begin() as connection:
        callbacks.set_callback(connection, 7, url="https://a.cn/", events=("message.read",))
        secret = callback_secrets.rotate_callback_secret(connection, 7, vault=vault(OLD))
        assert reseal_all(connection, ME, vault=vault(NEW, OLD)) == Resealed(1, 0, 0)
        found = callback_secrets.find_callback_secrets(connection, 7, vault=vault(NEW))
        assert found == (secret,)
