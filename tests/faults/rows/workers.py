"""Rows 4 to 7 and 12: what happens to workers and their rings."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil

from ops.local.child import list_family
from ops.local.polling import wait_until
from tests.faults.environment import FaultEnvironment, Findings, Traffic

SENDS = "worker-sends"


def kill_main(environment: FaultEnvironment) -> Findings:
    """4: the worker's main process is killed again and again; its successor is started at once."""
    rounds = environment.scale(short=3, full=30)
    with environment.make_traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            environment.pause(0.0, 0.7)
            pid = environment.stack.processes[SENDS].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            environment.stack.relaunch(SENDS)
    found = traffic.collect_findings(kills=rounds)
    found.must(
        found.figures["to frame p99 ms"] < environment.relax(5000), "accept to frame p99 < 5 s"
    )
    return found


def kill_child(environment: FaultEnvironment) -> Findings:
    """5: the pool's child is killed under its main process, which replaces it."""
    rounds = environment.scale(short=5, full=50)
    with environment.make_traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            environment.pause(0.0, 0.3)
            for child in find_pool(environment):
                child.kill()
    return traffic.collect_findings(kills=rounds)


def freeze_and_kill_idle(environment: FaultEnvironment) -> Findings:
    """6: an idle worker is frozen; what is sent then waits for another, which has it within 5 s."""
    rounds, slowest = environment.scale(short=1, full=8), 0.0
    with environment.make_traffic(per_second=1, limit=0, settle=20) as traffic:
        pass
    found = Findings()
    for _ in range(rounds):
        environment.pause(0.0, 0.3)
        environment.stack[SENDS].freeze()
        with environment.make_traffic(per_second=50, limit=1, people=2, settle=20) as traffic:
            wait_until(lambda t=traffic: t.ledger.accepted == 1, seconds=10)  # type: ignore[misc]
            environment.stack.relaunch(SENDS)
            wait_until(lambda: has_pool(environment), seconds=20)
            up_at = time.monotonic()
            wait_until(lambda t=traffic: t.sockets.seen == 1, seconds=10)  # type: ignore[misc]
            slowest = max(slowest, time.monotonic() - up_at)
        found.failures += traffic.collect_findings().failures
    found.figures = {"rounds": rounds, "slowest s after up": round(slowest, 2)}
    found.must(
        slowest < environment.relax(5), "in the history within 5 s of another worker being up"
    )
    return found


def terminate(environment: FaultEnvironment) -> Findings:
    """7: every worker is told to stop under load, and does within 15 s."""
    rounds, slowest = environment.scale(short=2, full=10), 0.0
    names = [name for name in environment.stack.processes if name.startswith("worker-")]
    with environment.make_traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            began = time.monotonic()
            for name in names:
                environment.stack.processes[name].ask_to_stop()
            wait_until(lambda: not any(is_up(environment, name) for name in names), seconds=20)
            slowest = max(slowest, time.monotonic() - began)
            for name in names:
                environment.stack.relaunch(name)
    found = traffic.collect_findings(stops=rounds, slowest_exit_s=round(slowest, 1))
    found.must(slowest <= environment.relax(15), "exit within 15 s")
    return found


def drop_rings(environment: FaultEnvironment) -> Findings:
    """12: no ring of web arrives (they go where nobody listens); the sweep alone is enough."""
    count = environment.scale(short=2500, full=20_000)
    sweep = [environment.stack[name] for name in ("beat", "worker-upkeep")]
    with (
        suspend_beat_fallback(environment),
        RingsToNowhere(environment),
        environment.make_traffic(
            per_second=10_000, connections=24, limit=count, sockets=1
        ) as traffic,
    ):
        for process in sweep:
            process.freeze()
        wait_until(lambda: traffic.load.is_done, seconds=120)
        for process in sweep:
            process.thaw()
        began = time.monotonic()
        wait_until(lambda: not environment.count_waiting(traffic.people), seconds=120)
        seconds = time.monotonic() - began
    found = traffic.collect_findings(per_second=round(count / seconds))
    found.must(count / seconds >= 500 / environment.relax(1), "500 messages/s by the sweep alone")
    return found


def control(environment: FaultEnvironment) -> Findings:
    """0: with neither sweep nor rings the oracle reports every send as lost; once the sweep is back, all are delivered."""
    for name in ("beat", "worker-upkeep"):
        environment.stack[name].kill()
    with suspend_beat_fallback(environment), RingsToNowhere(environment):
        with environment.make_traffic(per_second=100, limit=100, settle=1.5) as traffic:
            wait_until(lambda: traffic.load.is_done, seconds=20)
        verdict = traffic.verdict
        assert verdict is not None
        found = Findings({"accepted": verdict.accepted, "lost, as it must be": verdict.lost})
        found.must(verdict.lost == verdict.accepted == 100, "the harness sees every loss")
    environment.stack.start()
    healed = wait_until(lambda: not environment.count_waiting(traffic.people), seconds=20)
    found.must(healed, "all is delivered once the sweep is back")
    return found


@contextmanager
def suspend_beat_fallback(environment: FaultEnvironment) -> Iterator[None]:
    """Until the end of the block workers of other queues do not sweep when the sweep is late."""
    for seconds in ("3600", "3"):
        for name in (SENDS, "worker-broadcasts"):
            environment.stack.relaunch(name, CARILLON_SWEEP_LATE_SECONDS=seconds)
        wait_until(lambda: has_pool(environment), seconds=20)
        if seconds == "3600":
            yield


class RingsToNowhere:
    """While it is open (`with`), the web process rings in a database of Valkey whose queues nobody reads."""

    def __init__(self, environment: FaultEnvironment) -> None:
        self._environment = environment

    def __enter__(self) -> None:
        url = urlsplit(self._environment.stack.environ["CARILLON_VALKEY_URL"])
        self._relaunch(urlunsplit(url._replace(path="/9")))

    def __exit__(self, *_: object) -> None:
        self._relaunch(self._environment.stack.environ.get("CARILLON_BROKER_URL", ""))

    def _relaunch(self, broker_url: str) -> None:
        self._environment.stack.relaunch("web", CARILLON_BROKER_URL=broker_url)
        self._environment.stack.wait_ready()


def await_progress(traffic: Traffic, *, seconds: float = 20.0) -> float:
    """Wait until another message is seen and return the seconds until then; fails if none is within `seconds`."""
    seen, began = traffic.sockets.seen, time.monotonic()
    assert wait_until(lambda: traffic.sockets.seen > seen, seconds=seconds), "nothing moves"
    return time.monotonic() - began


def find_pool(environment: FaultEnvironment, name: str = SENDS) -> list[psutil.Process]:
    """The processes of a worker's pool; none while it has no main process."""
    pid = environment.stack.processes[name].pid
    return [process for process in list_family(pid) if process.pid != pid] if pid else []


def has_pool(environment: FaultEnvironment) -> bool:
    """Whether the sends worker has its pool, that is, consumes."""
    return bool(find_pool(environment))


def is_up(environment: FaultEnvironment, name: str) -> bool:
    """Whether a process runs."""
    return environment.stack.processes[name].is_running()


def is_answering(environment: FaultEnvironment) -> bool:
    """Whether the web process answers requests."""
    try:
        return httpx.get(f"{environment.stack.url}/healthz", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
