"""Stacks of this folder's own, one for each module, on which `carillon demo --open` is tried: their tokens are of their own making."""

from collections.abc import Iterator, Mapping

import pytest

from ops.cli.demo import open_inbox
from tests import services
from tests.services import Stack


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A running stack as `make run` has it: with an inbox, and the demo's sign-in."""
    with services.stack(CARILLON_JWT_SECRET="") as running:
        assert running.environ["CARILLON_INBOX_DEMO"] == "on"
        yield running


@pytest.fixture
def environ(own_stack: Stack) -> Mapping[str, str]:
    """The settings of that stack."""
    return own_stack.environ


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that `carillon demo --open` opened in a browser: there is none here."""
    addresses: list[str] = []

    def note(address: str) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr(open_inbox, "open_address", note)
    return addresses
