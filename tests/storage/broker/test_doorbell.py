"""The doorbell, over a Valkey that goes away and comes back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings

pytestmark = pytest.mark.quick


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test's own: it is killed."""
    server = EmbeddedValkey(tmp_path / "valkey", is_durable=False)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def doorbell(valkey: EmbeddedValkey, told: list[tuple[str, str]]) -> Iterator[Doorbell]:
    """A doorbell on it."""
    opened = Doorbell(QueueSettings(valkey_url=valkey.url), tell=lambda *ring: told.append(ring))
    yield opened
    opened.close()


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """What it told of its rings: queue and outcome."""
    return []


@pytest.fixture
def ring(doorbell: Doorbell, told: list[tuple[str, str]]) -> Callable[[], bool]:
    """Rings once and says whether there is a ring now."""

    def ring_once() -> bool:
        before = len(told)
        doorbell.ring(SENDS)
        assert wait_until(lambda: len(told) > before, seconds=10)
        return told[-1] != (SENDS, "failed")

    return ring_once


def test_rings_that_lie_in_the_queue_are_joined(
    doorbell: Doorbell, told: list[tuple[str, str]], ring: Callable[[], bool]
) -> None:
    """A hundred rings that nobody takes become one ring in the queue."""
    assert all(ring() for _ in range(100))
    assert told == [(SENDS, "rung"), *[(SENDS, "joined")] * 99]
    assert doorbell.queue_lengths()[SENDS] == 1


def test_a_doorbell_rings_again_when_the_broker_is_back(
    valkey: EmbeddedValkey, doorbell: Doorbell, ring: Callable[[], bool]
) -> None:
    """While the broker is away every ring fails, and the first one after its return arrives."""
    assert ring()
    valkey.kill()
    assert not ring()
    assert not ring()
    valkey.start()
    assert ring()
    assert doorbell.queue_lengths()[SENDS] == 1


def test_a_frozen_broker_costs_a_ring_its_timeout_and_no_more(
    valkey: EmbeddedValkey, doorbell: Doorbell, ring: Callable[[], bool]
) -> None:
    """While Valkey hangs a ring fails in about a second; afterwards rings arrive again."""
    assert ring()
    valkey.freeze()
    began = time.monotonic()
    assert not ring()
    assert time.monotonic() - began < 5
    assert not doorbell.is_reachable()
    valkey.thaw()
    assert ring()
