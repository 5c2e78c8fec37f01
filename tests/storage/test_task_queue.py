"""The doorbell, over a Valkey that goes away and comes back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.deadline import wait_until
from ops.embedded import EmbeddedValkey
from storage.task_queue import SENDS, Doorbell, QueueSettings

pytestmark = pytest.mark.quick


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test's own: it is killed."""
    server = EmbeddedValkey(tmp_path / "valkey", is_durable=False)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def doorbell(valkey: EmbeddedValkey) -> Iterator[Doorbell]:
    """A doorbell on it."""
    opened = Doorbell(QueueSettings(valkey_url=valkey.url))
    yield opened
    opened.close()


def ring(doorbell: Doorbell) -> bool:
    """Ring once and say whether there is a ring now."""

    def count() -> int:
        return doorbell.rung + doorbell.joined + doorbell.failed

    before, failed = count(), doorbell.failed
    doorbell.ring(SENDS)
    assert wait_until(lambda: count() > before, seconds=10)
    return doorbell.failed == failed


def test_rings_that_lie_in_the_queue_are_joined(doorbell: Doorbell) -> None:
    """A hundred rings that nobody takes are one: whoever takes it finds everything."""
    assert all(ring(doorbell) for _ in range(100))
    assert (doorbell.rung, doorbell.joined) == (1, 99)
    assert doorbell.waiting(SENDS) == 1


def test_a_doorbell_rings_again_when_the_broker_is_back(
    valkey: EmbeddedValkey, doorbell: Doorbell
) -> None:
    """Rings fail while the broker is away, one after the other, and the first after that arrives."""
    assert ring(doorbell)
    valkey.kill()
    assert not ring(doorbell)
    assert not ring(doorbell)
    valkey.start()
    assert ring(doorbell)
    assert doorbell.waiting(SENDS) == 1


def test_a_frozen_broker_costs_a_ring_its_timeout_and_no_more(
    valkey: EmbeddedValkey, doorbell: Doorbell
) -> None:
    """While Valkey hangs a ring fails in about a second; afterwards rings arrive again."""
    assert ring(doorbell)
    valkey.freeze()
    began = time.monotonic()
    assert not ring(doorbell)
    assert time.monotonic() - began < 5
    assert not doorbell.reachable()
    valkey.thaw()
    assert ring(doorbell)
