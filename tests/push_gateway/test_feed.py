"""How much the feed reads at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.settings import load_settings
from storage.valkey.bus_reader import Batch, Position
from storage.valkey.event_json import SHARDS
from tests.push_gateway.resume.model_bus import ModelBus
from tests.push_gateway.resume.traffic import ENVIRON
from tests.push_gateway.running import to_all

pytestmark = pytest.mark.pure


class MeasuringBus(ModelBus):
    """A bus that notes how much is read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def read(self, positions: list[Position], *, limit: int, wait: timedelta) -> Batch:
        """See Reader."""
        batch = await super().read(positions, limit=limit, wait=wait)
        self.sizes.append(sum(len(entry.payload) for entry in batch.entries))
        return batch


def test_a_bus_full_of_long_events_is_read_in_small_pieces() -> None:
    """A process that starts on a bus full of long events reads a few megabytes at a time, and all of it."""
    bus = MeasuringBus()
    everyone = tuple(range(SHARDS))
    for number in range(60):
        event = to_all(number, everyone)
        bus.publish(replace(event, content="x" * 60_000))
    metrics = GatewayMetrics(CollectorRegistry())
    gateway = Gateway(load_settings(ENVIRON), metrics)
    feed = Feed(bus, gateway.bus_view, gateway.dispatcher.dispatch, limit=500, metrics=metrics)

    async def catch_up() -> None:
        while not gateway.bus_view.is_ready:
            await feed.step()

    asyncio.run(catch_up())
    assert sum(bus.sizes) > 55e6
    assert max(bus.sizes) < 20e6
    assert sorted(bus.sizes)[len(bus.sizes) // 2] < 9e6
