"""Rows 8, 10 and 28 as the push gateway's clients see them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ops.local.embedded.valkey import EmbeddedValkey
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from tests.faults.push_crowd import Crowd, Member, Sender
from tests.push_gateway.running import Gateway, wait_for

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey of these rows alone."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gateway(valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway on an empty bus, for one test."""
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


def test_a_wipe_and_a_restart_of_valkey_cost_nobody_a_message(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """Rows 8 and 10: after FLUSHALL and after SIGKILL of Valkey, clients that missed a push are told RESYNC and know all."""
    with Crowd(gateway, range(1, 33)) as crowd:
        wait_for(lambda: all(member.pos for member in crowd.members.values()), seconds=60)
        with Sender(bus, crowd, per_second=200, seed=1) as sender:
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
        wait_for(lambda: {*map(_knows_history, crowd.members.values())} == {True}, seconds=30)


def _knows_history(member: Member) -> bool:
    """Whether a member has seen its whole history, in any order."""
    return set(member.log) == set(member.history)


def test_the_gateway_cannot_ask_postgresql() -> None:
    """Row 28: the gateway loads no driver of PostgreSQL, so no rush of clients can reach the record."""
    script = (
        "import push_gateway.app, sys; sys.exit(bool({'psycopg', 'sqlalchemy'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == 0
