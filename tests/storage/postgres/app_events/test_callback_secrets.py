"""The keys of callbacks: as Standard Webhooks has them, sealed, two at once while one is replaced."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from storage.keys.vault import Vault, VaultSettings
from storage.model.errors import PermanentError
from storage.postgres.app_events.callback_secrets import (
    find_callback_secrets,
    rotate_callback_secret,
)

VAULT = Vault(VaultSettings(keys=(Fernet.generate_key().decode(),)))


def test_a_key_has_the_form_of_standard_webhooks_and_is_sealed(engine: Engine) -> None:
    """It is whsec_ and 32 random bytes in base64, and the table does not show it."""
    with engine.begin() as connection:
        made = rotate_callback_secret(connection, 7, vault=VAULT)
        sealed = connection.execute(text("SELECT sealed FROM app_callback_secrets")).scalar_one()
    assert len(b64decode(made.removeprefix("whsec_"), validate=True)) == 32
    assert made.encode() not in bytes(sealed)


def test_the_key_before_goes_on_for_a_day_or_as_long_as_is_said(engine: Engine) -> None:
    """After each rotation the newest two that have not ended are valid, newest first."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    with engine.begin() as connection:
        first, second, third = (
            rotate_callback_secret(connection, 7, vault=VAULT) for _ in range(3)
        )
        other = rotate_callback_secret(connection, 8, vault=VAULT)
        assert find_callback_secrets(connection, 7, vault=VAULT) == (third, second)
        assert first not in (second, third)
        day = text("SELECT ends_at - now() FROM app_callback_secrets WHERE ends_at IS NOT NULL")
        assert timedelta(hours=23) < connection.execute(day).scalar_one() < timedelta(hours=25)
        fourth = rotate_callback_secret(connection, 7, vault=VAULT, old_ends_at=past)
        assert find_callback_secrets(connection, 7, vault=VAULT) == (fourth,)
        assert find_callback_secrets(connection, 8, vault=VAULT) == (other,)
        assert find_callback_secrets(connection, 9, vault=VAULT) == ()


def test_keys_that_no_key_of_the_vault_opens_are_an_error(engine: Engine) -> None:
    """With another key of the vault the keys are not taken for none."""
    stranger = Vault(VaultSettings(keys=(Fernet.generate_key().decode(),)))
    with engine.begin() as connection:
        rotate_callback_secret(connection, 7, vault=VAULT)
        with pytest.raises(PermanentError):
            find_callback_secrets(connection, 7, vault=stranger)
