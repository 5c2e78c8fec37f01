"""The state machine of bus, gateway and clients, driven by hand."""

from collections.abc import Iterator

import pytest

from push_gateway import dispatcher
from tests.push_gateway.resume.interleaving import Interleaving


@pytest.fixture(autouse=True)
def _yield_after_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "FRAMES_PER_TURN", 0)


@pytest.fixture
def story() -> Iterator[Interleaving]:
    """The machine, for one story."""
    machine = Interleaving()
    yield machine
    machine.loop.close()
