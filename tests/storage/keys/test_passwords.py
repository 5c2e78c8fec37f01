"""Operators' passwords at rest."""

import pytest

from storage.keys import passwords
from storage.keys.passwords import LONGEST, SHORTEST, hash_password, is_password, make_password

pytestmark = pytest.mark.quick


def test_a_hash_fits_its_password_and_no_other() -> None:
    """A password fits its own hash and no other does, and two hashes of one password differ."""
    stored = hash_password("correct horse 电池")
    assert is_password("correct horse 电池", stored)
    assert not is_password("correct horse 电泄", stored)
    assert not is_password("", stored)
    assert hash_password("correct horse 电池") != stored
    assert "correct" not in stored


@pytest.mark.parametrize("stored", [None, "", "scrypt$14", "scrypt$14$8$5$*$*", "md5$14$8$5$AA==$AA==", "scrypt$x$8$5$AA==$AA=="])  # fmt: skip
def test_nothing_fits_what_is_no_hash(stored: str | None) -> None:
    """No password fits the hash of nobody or a text that is no hash, and nothing is raised."""
    assert not is_password("", stored)
    assert not is_password("any password", stored)


def test_nobody_s_password_costs_as_much_as_somebody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of a check is the same whether there is a hash or not, so that its time tells nothing."""
    stored = passwords.hash_password("a password")
    costs: list[tuple[int, int, int]] = []

    def scrypt(_password: bytes, *, salt: bytes, n: int, r: int, p: int, **_: int) -> bytes:
        costs.append((n, r, p))
        return bytes(32)

    monkeypatch.setattr("hashlib.scrypt", scrypt)
    for known in (stored, None, "no hash"):
        assert not is_password("another", known)
    assert len(costs) == 3
    assert len(set(costs)) == 1


def test_a_made_password_is_long_and_new() -> None:
    """A password that is made keeps to the bounds of those that are chosen, and is another each time."""
    made = {make_password() for _ in range(100)}
    assert len(made) == 100
    assert all(SHORTEST <= len(one) <= LONGEST for one in made)
