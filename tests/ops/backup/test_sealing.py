"""Secrets of a backup open with the passphrase alone."""

import json

import pytest

from ops.backup.sealing import open_sealed, seal
from storage.model.errors import NotAllowed, PermanentError

pytestmark = pytest.mark.quick


def test_the_passphrase_opens_what_it_sealed() -> None:
    """What was sealed comes back with the passphrase, is not to be read without, and differs every time."""
    sealed = seal(b"secret", "口令 correct horse", bound_to=b"manifest")
    assert open_sealed(sealed, "口令 correct horse", bound_to=b"manifest") == b"secret"
    assert b"secret" not in sealed
    assert seal(b"secret", "口令 correct horse", bound_to=b"manifest") != sealed


@pytest.mark.parametrize(("passphrase", "bound_to"), [("wrong", b"manifest"), ("right", b"other")])
def test_nothing_else_opens_it(passphrase: str, bound_to: bytes) -> None:
    """Another passphrase opens nothing, and neither does the right one with another backup's manifest."""
    sealed = seal(b"secret", "right", bound_to=b"manifest")
    with pytest.raises(NotAllowed, match="passphrase is wrong"):
        open_sealed(sealed, passphrase, bound_to=bound_to)


@pytest.mark.parametrize(
    "changes", [{"cost": [2**40, 8, 1]}, {"cost": [3, 8, 1]}, {"salt": 5}, None]
)
def test_what_is_not_sealed_by_us_is_refused(changes: dict[str, object] | None) -> None:
    """A sealed text that asks for terabytes, or is none, is refused with a sentence."""
    sealed = b"nothing"
    if changes is not None:
        sealed = json.dumps(json.loads(seal(b"x", "right", bound_to=b"")) | changes).encode()
    with pytest.raises(PermanentError, match="secrets cannot be read"):
        open_sealed(sealed, "right", bound_to=b"")
