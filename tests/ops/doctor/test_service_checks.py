"""What `carillon doctor` finds around the record: each defect is planted, found, and has its remedy."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import redis

from ops.doctor.findings import Level
from tests.ops.doctor.findings import find, find_level


def test_queues_without_a_worker_are_named(environ: Mapping[str, str]) -> None:
    """If no worker runs, each queue is named in the command that starts a worker of it."""
    [finding] = find(environ, "workers")
    assert finding.level is Level.FAIL
    for queue in ("sends", "broadcasts", "upkeep"):
        assert f"worker -Q {queue}" in finding.mend


def test_an_eviction_policy_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey that may evict what was written is found."""
    assert find_level(environ, "valkey") is Level.OK
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert find_level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory-policy", "noeviction")


def test_a_full_valkey_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey near its limit of memory is a warning."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", int(used * 1.05))
        try:
            assert find_level(environ, "valkey") is Level.WARN
        finally:
            client.config_set("maxmemory", 0)


def test_a_valkey_that_refuses_writes_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey over its limit of memory is a failure."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory", 100_000)
        try:
            assert find_level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory", 0)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Level.OK), (0.2, Level.WARN), (10, Level.FAIL)]
)
def test_clocks_that_differ_are_found(
    environ: Mapping[str, str], minutes: float, expected: Level
) -> None:
    """Clocks of PostgreSQL and Valkey that differ from this machine's are found, by how much they do."""
    clocks = find(environ, "clock", clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    assert [clock.level for clock in clocks] == [expected, expected]
