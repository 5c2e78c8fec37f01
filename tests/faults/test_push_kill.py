"""Rows 23, 24, 26, 28: the gateway is killed, drained, cut off and rushed; nobody misses anything."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ops.embedded import EmbeddedValkey
from storage.bus import Bus, BusSettings
from storage.settings import ValkeySettings
from tests.faults.push_crowd import Crowd, Sender
from tests.push_gateway.running import Gateway, wait_for

pytestmark = pytest.mark.timeout(180)

# `CARILLON_TEST_FULL=1` runs the rows at the size of the matrix.
IS_FULL = bool(os.environ.get("CARILLON_TEST_FULL"))
SOCKETS = 2000 if IS_FULL else 200
RUSH = 5000 if IS_FULL else 500
SEED = int(os.environ.get("CARILLON_TEST_SEED", "1"))


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey of these rows alone."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gateway(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that is to suffer."""
    with redis.Redis.from_url(valkey.url) as control:
        control.flushall()
    victim = Gateway(valkey.url, tmp_path / "gateway.log").start()
    yield victim
    victim.kill()


@pytest.fixture
def bus(valkey: EmbeddedValkey) -> Iterator[Bus]:
    """The publishing end."""
    publisher = Bus(BusSettings(), ValkeySettings(valkey.url))
    yield publisher
    publisher.close()


def all_in(crowd: Crowd) -> None:
    """Wait until everybody is connected and knows their position."""
    wait_for(lambda: all(member.pos for member in crowd.members.values()), seconds=60)


def test_a_killed_gateway_costs_nobody_a_message(gateway: Gateway, bus: Bus) -> None:
    """23: SIGKILL three times under a stream of sends: all back in 20 s with since, logs = histories."""
    with Crowd(gateway, range(1, SOCKETS + 1)) as crowd:
        all_in(crowd)
        with Sender(bus, crowd, per_second=100, seed=SEED) as sender:
            for _ in range(3):
                reached = sender.count + 50
                wait_for(lambda reached=reached: sender.count >= reached)  # type: ignore[misc]
                gateway.kill()
                killed_at = time.monotonic()
                gateway.launch()
                wait_for(lambda: crowd.connected == SOCKETS, seconds=60)
                assert time.monotonic() - killed_at < 20
        wait_for(lambda: crowd.is_complete, seconds=30)
    assert crowd.resyncs == SOCKETS  # each its first, none by the kills


def test_a_drained_gateway_says_1012_and_costs_nobody_a_message(gateway: Gateway, bus: Bus) -> None:
    """24: SIGTERM under load: 1012 to all, the process gone within 10 s, and the next one goes on."""
    with Crowd(gateway, range(1, SOCKETS + 1)) as crowd:
        all_in(crowd)
        with Sender(bus, crowd, per_second=100, seed=SEED) as sender:
            wait_for(lambda: sender.count > 20)
            began = time.monotonic()
            gateway.stop(seconds=10)
            assert time.monotonic() - began < 10
            gateway.launch()
            wait_for(lambda: crowd.connected == SOCKETS, seconds=60)
        wait_for(lambda: crowd.is_complete, seconds=30)
    assert all(1012 in member.codes for member in crowd.members.values())
    assert crowd.resyncs == SOCKETS


def test_a_feed_that_is_cut_again_and_again_loses_nothing(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """26: CLIENT KILL of every connection, again and again: logs = histories, and nobody is told."""
    with Crowd(gateway, range(1, 33)) as crowd, redis.Redis.from_url(valkey.url) as control:
        all_in(crowd)
        with Sender(bus, crowd, per_second=200, seed=SEED) as sender:
            for _ in range(30 if IS_FULL else 6):
                reached = sender.count + 20
                wait_for(lambda reached=reached: sender.count >= reached)  # type: ignore[misc]
                control.client_kill_filter(_type="normal", skipme=True)
        wait_for(lambda: crowd.is_complete, seconds=30)
    assert crowd.resyncs == 32


def test_a_wipe_and_a_restart_of_valkey_cost_nobody_a_message(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """8, 10 (D): after FLUSHALL and after SIGKILL of Valkey, what was not pushed is told by RESYNC."""
    with Crowd(gateway, range(1, 33)) as crowd:
        all_in(crowd)
        with Sender(bus, crowd, per_second=200, seed=SEED) as sender:
            for damage in range(4):
                reached, told = sender.count + 40, crowd.resyncs
                wait_for(lambda reached=reached: sender.count >= reached)  # type: ignore[misc]
                if damage % 2:
                    valkey.kill()
                    valkey.start()
                else:
                    with redis.Redis.from_url(valkey.url) as control:
                        control.flushall()
                wait_for(lambda told=told: crowd.resyncs >= told + 32, seconds=30)  # type: ignore[misc]
        wait_for(lambda: {*map(_known, crowd.members.values())} == {True}, seconds=30)


def _known(member: object) -> bool:
    """Whether a member knows its whole history; in what order it was told is another matter here."""
    return set(member.log) == set(member.history)  # type: ignore[attr-defined]


def test_a_rush_is_let_in_without_an_error(gateway: Gateway) -> None:
    """28: thousands of handshakes at once: nobody is refused."""
    with Crowd(gateway, range(1, RUSH + 1)) as crowd:
        all_in(crowd)
        assert crowd.connected == RUSH
        refused = [
            line
            for line in gateway.get("/metrics")[1].splitlines()
            if line.startswith("carillon_socket_handshakes_total{") and '"101"' not in line
        ]
        assert refused == []


def test_the_gateway_cannot_ask_postgresql() -> None:
    """28: it does not even load a driver, so no rush can reach the record."""
    script = (
        "import push_gateway.app, sys; sys.exit(bool({'psycopg', 'sqlalchemy'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == 0
