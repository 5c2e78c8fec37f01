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
from tests.faults.environment import Findings, Ground, Traffic

SENDS = "worker-sends"


def kill_main(ground: Ground) -> Findings:
    """4: the worker's main process is killed again and again; its successor is started at once."""
    rounds = ground.scale(short=3, full=30)
    with ground.traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            ground.pause(0.0, 0.7)
            pid = ground.stack.processes[SENDS].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            ground.stack.relaunch(SENDS)
    found = traffic.findings(kills=rounds)
    found.must(found.figures["to frame p99 ms"] < ground.allowed(5000), "accept to frame p99 < 5 s")
    return found


def kill_child(ground: Ground) -> Findings:
    """5: the pool's child is killed under its main process, which replaces it."""
    rounds = ground.scale(short=5, full=50)
    with ground.traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            ground.pause(0.0, 0.3)
            for child in pool(ground):
                child.kill()
    return traffic.findings(kills=rounds)


def freeze_and_kill_idle(ground: Ground) -> Findings:
    """6: an idle worker is frozen; what is sent then waits for another, which has it within 5 s."""
    rounds, slowest = ground.scale(short=1, full=8), 0.0
    with ground.traffic(per_second=1, limit=0, settle=20) as traffic:
        pass
    found = Findings()
    for _ in range(rounds):
        ground.pause(0.0, 0.3)
        ground.stack[SENDS].freeze()
        with ground.traffic(per_second=50, limit=1, people=2, settle=20) as traffic:
            wait_until(lambda t=traffic: t.ledger.accepted == 1, seconds=10)  # type: ignore[misc]
            ground.stack.relaunch(SENDS)
            wait_until(lambda: ready(ground), seconds=20)
            up_at = time.monotonic()
            wait_until(lambda t=traffic: t.sockets.seen == 1, seconds=10)  # type: ignore[misc]
            slowest = max(slowest, time.monotonic() - up_at)
        found.failures += traffic.findings().failures
    found.figures = {"rounds": rounds, "slowest s after up": round(slowest, 2)}
    found.must(slowest < ground.allowed(5), "in the history within 5 s of another worker being up")
    return found


def terminate(ground: Ground) -> Findings:
    """7: every worker is told to stop under load, and does within 15 s."""
    rounds, slowest = ground.scale(short=2, full=10), 0.0
    names = [name for name in ground.stack.processes if name.startswith("worker-")]
    with ground.traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            began = time.monotonic()
            for name in names:
                ground.stack.processes[name].ask_to_stop()
            wait_until(lambda: not any(is_up(ground, name) for name in names), seconds=20)
            slowest = max(slowest, time.monotonic() - began)
            for name in names:
                ground.stack.relaunch(name)
    found = traffic.findings(stops=rounds, slowest_exit_s=round(slowest, 1))
    found.must(slowest <= ground.allowed(15), "exit within 15 s")
    return found


def drop_rings(ground: Ground) -> Findings:
    """12: no ring of web arrives (they go where nobody listens); the sweep alone is enough."""
    count = ground.scale(short=2500, full=20_000)
    sweep = [ground.stack[name] for name in ("beat", "worker-upkeep")]
    with (
        no_deputies(ground),
        deaf_web(ground),
        ground.traffic(per_second=10_000, connections=24, limit=count, sockets=1) as traffic,
    ):
        for process in sweep:
            process.freeze()
        wait_until(lambda: traffic.load.is_done, seconds=120)
        for process in sweep:
            process.thaw()
        began = time.monotonic()
        wait_until(lambda: not ground.waiting(traffic.people), seconds=120)
        seconds = time.monotonic() - began
    found = traffic.findings(per_second=round(count / seconds))
    found.must(count / seconds >= 500 / ground.allowed(1), "500 messages/s by the sweep alone")
    return found


def control(ground: Ground) -> Findings:
    """0: the guarantee switched off. The sweep is away and the rings are dropped: losses, all of it."""
    for name in ("beat", "worker-upkeep"):
        ground.stack[name].kill()
    with no_deputies(ground), deaf_web(ground):
        with ground.traffic(per_second=100, limit=100, settle=1.5) as traffic:
            wait_until(lambda: traffic.load.is_done, seconds=20)
        verdict = traffic.verdict
        assert verdict is not None
        found = Findings({"accepted": verdict.accepted, "lost, as it must be": verdict.lost})
        found.must(verdict.lost == verdict.accepted == 100, "the harness sees every loss")
    ground.stack.start()
    healed = wait_until(lambda: not ground.waiting(traffic.people), seconds=20)
    found.must(healed, "all is delivered once the sweep is back")
    return found


@contextmanager
def no_deputies(ground: Ground) -> Iterator[None]:
    """Workers of other queues do not sweep when the sweep is late."""
    for seconds in ("3600", "3"):
        for name in (SENDS, "worker-broadcasts"):
            ground.stack.relaunch(name, CARILLON_SWEEP_LATE_SECONDS=seconds)
        wait_until(lambda: ready(ground), seconds=20)
        if seconds == "3600":
            yield


class deaf_web:  # noqa: N801 (reads as a sentence with `with`)
    """The web process rings in another database of the same Valkey, whose queues nobody reads."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def __enter__(self) -> None:
        url = urlsplit(self._ground.stack.environ["CARILLON_VALKEY_URL"])
        self._relaunch(urlunsplit(url._replace(path="/9")))

    def __exit__(self, *_: object) -> None:
        self._relaunch(self._ground.stack.environ.get("CARILLON_BROKER_URL", ""))

    def _relaunch(self, broker_url: str) -> None:
        self._ground.stack.relaunch("web", CARILLON_BROKER_URL=broker_url)
        self._ground.stack.wait_ready()


def await_progress(traffic: Traffic, *, seconds: float = 20.0) -> float:
    """Wait until another message is seen; how long it took. Fails when none is."""
    seen, began = traffic.sockets.seen, time.monotonic()
    assert wait_until(lambda: traffic.sockets.seen > seen, seconds=seconds), "nothing moves"
    return time.monotonic() - began


def pool(ground: Ground, name: str = SENDS) -> list[psutil.Process]:
    """The pool's processes of a worker."""
    pid = ground.stack.processes[name].pid
    return [process for process in list_family(pid) if process.pid != pid] if pid else []


def ready(ground: Ground) -> bool:
    """Whether the sends worker has its pool, that is, consumes."""
    return bool(pool(ground))


def is_up(ground: Ground, name: str) -> bool:
    """Whether a process runs."""
    return ground.stack.processes[name].is_running()


def answers(ground: Ground) -> bool:
    """Whether web answers at all."""
    try:
        return httpx.get(f"{ground.stack.url}/healthz", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
