"""Reports of gateways are added up; a gateway that is gone does not count."""

import asyncio

import pytest
import redis

from storage.model.errors import TransientError
from storage.settings import ValkeySettings
from storage.valkey import gateway_reports
from storage.valkey.gateway_reports import GATEWAYS, GatewayCounts, GatewayReports

pytestmark = pytest.mark.quick


def test_they_are_added_up_and_who_is_not_heard_of_is_left_out(valkey_url: str) -> None:
    """The counts of gateways are added up, without one that has ended and one that was killed."""
    settings = ValkeySettings(valkey_url)

    async def story() -> tuple[GatewayCounts, GatewayCounts]:
        pipe = GatewayReports(settings)
        await pipe.report("a", GatewayCounts(1, 10, 100, 1000))
        await pipe.report("b", GatewayCounts(1, 5, 50, 0))
        both = await pipe.read_counts()
        await pipe.forget("b")
        await pipe.close()
        with redis.Redis.from_url(valkey_url) as connection:
            connection.hset(GATEWAYS, "killed", "1000 7 7 7")
        return both, gateway_reports.read_counts(settings)

    both, later = asyncio.run(story())
    assert both == GatewayCounts(2, 15, 150, 1000)
    assert later == GatewayCounts(1, 10, 100, 1000)
    with redis.Redis.from_url(valkey_url) as connection:
        assert connection.hkeys(GATEWAYS) == [b"a"]


def test_nobody_there_is_nothing_and_away_is_said(valkey_url: str) -> None:
    """Without gateways all counts are zero; without Valkey reading them raises TransientError."""
    assert gateway_reports.read_counts(ValkeySettings(valkey_url)) == GatewayCounts(0, 0, 0, 0)
    with pytest.raises(TransientError):
        gateway_reports.read_counts(ValkeySettings("redis://127.0.0.1:1/0"))
