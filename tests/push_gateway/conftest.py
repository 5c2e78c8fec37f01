"""A Valkey of the gateway's tests alone (they wipe, freeze and restart it), and a gateway on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from ops.local.embedded.valkey import EmbeddedValkey
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from tests.push_gateway.running import Gateway


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey that a module may do anything to."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def control(valkey: EmbeddedValkey) -> Iterator[redis.Redis]:
    """A plain client, to do damage with."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def bus(valkey: EmbeddedValkey) -> Iterator[Bus]:
    """The publishing end."""
    publisher = Bus(BusSettings(), ValkeySettings(valkey.url))
    yield publisher
    publisher.close()


Launch = Callable[..., Gateway]


@pytest.fixture(scope="module")
def launch(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Starts gateways; what still runs at the end is killed."""
    folder = tmp_path_factory.mktemp("gateway")
    running: list[Gateway] = []

    def started(*arguments: str, **settings: str) -> Gateway:
        log = Path(folder / f"{len(running)}.log")
        given = arguments or ("--no-access-log",)
        running.append(Gateway(valkey.url, log, settings, given))
        return running[-1].start()

    yield started
    for gateway in running:
        gateway.part()
        gateway.kill()


@pytest.fixture(scope="module")
def gateway(launch: Launch) -> Gateway:
    """A gateway with the default settings."""
    return launch()


@pytest.fixture(autouse=True)
def _leave(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "gateway" in request.fixturenames:
        request.getfixturevalue("gateway").part()
