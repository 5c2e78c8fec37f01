"""Rows 23, 24, 26 and 28: what happens to the push gateway and its clients.

A gateway of the row's own on the environment's Valkey, and a crowd of clients that come back with `since`.
What is published to a person, in that order, is the person's history.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from ops.local.polling import wait_until
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.push_crowd import Crowd, Sender
from tests.push_gateway.running import Gateway
from tests.services import folder

AS_IN_PRODUCTION = ("--no-access-log", "--timeout-graceful-shutdown", "5")


def kill_gateway(environment: FaultEnvironment) -> Findings:
    """23: SIGKILL three times under a stream of sends: everyone is back in 20 s, having missed nothing."""
    with (
        serve_gateway(environment) as (gateway, bus),
        _connect_crowd(environment, gateway, full=2000) as crowd,
    ):
        slowest = 0.0
        with Sender(bus, crowd, per_second=100, seed=environment.seed) as sender:
            for _ in range(3):
                _await_sends(sender, 50)
                gateway.kill()
                slowest = max(slowest, _come_back(gateway, crowd))
        found = _judge(crowd, sender, slowest_back_s=round(slowest, 1))
    found.must(slowest <= environment.relax(20), "everyone is back within 20 s")
    return found


def drain_gateway(environment: FaultEnvironment) -> Findings:
    """24: SIGTERM under load: 1012 to all, the process gone within 10 s, and the next one goes on."""
    with (
        serve_gateway(environment) as (gateway, bus),
        _connect_crowd(environment, gateway, full=2000) as crowd,
    ):
        with Sender(bus, crowd, per_second=100, seed=environment.seed) as sender:
            _await_sends(sender, 50)
            began = time.monotonic()
            gateway.stop(seconds=environment.relax(10))
            seconds = time.monotonic() - began
            _come_back(gateway, crowd)
        told = sum(1012 in member.codes for member in crowd.members.values())
        found = _judge(crowd, sender, exit_s=round(seconds, 1))
    found.must(told == len(crowd.members), f"1012 to all (to {told})")
    found.must(seconds <= environment.relax(10), "the process is gone within 10 s")
    return found


def cut_feed(environment: FaultEnvironment) -> Findings:
    """26: every connection of the feed is killed again and again: nobody misses or is told anything."""
    rounds = environment.scale(short=6, full=30)
    with (
        serve_gateway(environment) as (gateway, bus),
        _connect_crowd(environment, gateway, full=32) as crowd,
        redis.Redis.from_url(environment.stack.environ["CARILLON_VALKEY_URL"]) as control,
    ):
        with Sender(bus, crowd, per_second=200, seed=environment.seed) as sender:
            for _ in range(rounds):
                _await_sends(sender, 20)
                control.client_kill_filter(_type="normal", skipme=True)
                environment.pause(environment.scale(short=0, full=1))
        return _judge(crowd, sender, cuts=rounds)


def rush(environment: FaultEnvironment) -> Findings:
    """28: thousands come back at once: each is let in at the first try that reaches the process."""
    with (
        serve_gateway(environment) as (gateway, _),
        _connect_crowd(environment, gateway, full=5000) as crowd,
    ):
        gateway.kill()
        seconds = _come_back(gateway, crowd)
        lines = gateway.get("/metrics")[1].splitlines()
    found = Findings({"sockets": len(crowd.members), "back_s": round(seconds, 1)})
    name = "carillon_socket_handshakes_total{"
    refused = [line for line in lines if line.startswith(name) and '"101"' not in line]
    found.must(not refused, f"nobody is refused ({refused})")
    return found


@contextmanager
def serve_gateway(environment: FaultEnvironment, **settings: str) -> Iterator[tuple[Gateway, Bus]]:
    """A gateway of the row's own, and the publishing end of its bus.

    In a database of Valkey's that ingest does not look into: nobody of the crowd is in the table.
    """
    url = environment.stack.environ["CARILLON_VALKEY_URL"].rpartition("/")[0] + "/1"
    bus = Bus(BusSettings(), ValkeySettings(url))
    with folder() as path:
        gateway = Gateway(
            url, Path(path) / "gateway.log", settings, arguments=AS_IN_PRODUCTION
        ).start()
        try:
            yield gateway, bus
        finally:
            gateway.kill()
            bus.close()


@contextmanager
def _connect_crowd(
    environment: FaultEnvironment, gateway: Gateway, *, full: int
) -> Iterator[Crowd]:
    """Everyone connected and with a position; a tenth of them in a short row, but 32 at least."""
    number = environment.scale(short=max(32, full // 10), full=full)
    with Crowd(gateway, range(1, number + 1)) as crowd:
        members = crowd.members.values()
        everyone = wait_until(lambda: all(member.pos for member in members), seconds=120)
        assert everyone, "not everyone gets in"
        yield crowd


def _await_sends(sender: Sender, number: int) -> None:
    reached = sender.count + number
    assert wait_until(lambda: sender.count >= reached, seconds=30), "nothing can be published"


def _come_back(gateway: Gateway, crowd: Crowd) -> float:
    """Serve again; how long until everyone is connected."""
    assert wait_until(lambda: not crowd.connected_count, seconds=30), "somebody has not noticed"
    began = time.monotonic()
    gateway.launch()
    wait_until(lambda: crowd.connected_count == len(crowd.members), seconds=120)
    return time.monotonic() - began


def _judge(crowd: Crowd, sender: Sender, **figures: object) -> Findings:
    """D: every log is the history, in its order, each once; and nobody was told RESYNC but at first."""
    wait_until(lambda: crowd.is_complete, seconds=30)
    told = crowd.resyncs - len(crowd.members)
    common = {"sockets": len(crowd.members), "published": sender.count, "resyncs": told}
    found = Findings(common | figures)
    found.must(crowd.is_complete, f"every log is the history ({len(crowd.wrong)} are not)")
    found.must(told == 0, "nobody is told RESYNC")
    return found
