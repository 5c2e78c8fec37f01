"""Rows 8 to 11: what happens to Valkey, which is queue and bus."""

import time

import psutil
import redis

from ops.local.polling import wait_until
from tests.faults.environment import FaultEnvironment, Findings, Traffic
from tests.faults.rows.workers import await_progress


def kill(environment: FaultEnvironment) -> Findings:
    """8: Valkey is killed, away for a while, and back: sends are taken throughout."""
    rounds, slowest = environment.scale(short=2, full=10), 0.0
    with environment.make_traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            environment.stack["valkey"].kill()
            environment.pause(0.2, 1.5 if environment.is_short else 6.0)
            start(environment)
            slowest = max(slowest, await_progress(traffic))
    found = traffic.collect_findings(kills=rounds, resumed_s=round(slowest, 2))
    check_accepting(environment, found, traffic)
    found.must(slowest <= environment.relax(3), "work resumes within 3 s")
    return found


def freeze(environment: FaultEnvironment) -> Findings:
    """9: Valkey hangs for half a minute: nobody who sends notices, and no threads pile up."""
    with environment.make_traffic(per_second=200) as traffic:
        await_progress(traffic)
        environment.stack["valkey"].freeze()
        began = time.monotonic()
        most = 0
        while time.monotonic() - began < environment.scale(short=5, full=30):
            environment.pause(0.2)
            most = max(most, _count_threads(environment))
        environment.stack["valkey"].thaw()
        resumed = await_progress(traffic, seconds=60)
    found = traffic.collect_findings(most_threads=most, resumed_s=round(resumed, 1))
    found.must(traffic.ledger.p99_seconds() < environment.relax(1), "accept p99 < 1 s")
    check_accepting(environment, found, traffic)
    found.must(most < 60, "no pile of threads")
    return found


def wipe(environment: FaultEnvironment) -> Findings:
    """10: everything in Valkey is gone at once: sockets are told, and the queue fills again."""
    rounds, told = environment.scale(short=1, full=5), False
    with environment.make_traffic(per_second=300) as traffic:
        for _ in range(rounds):
            await_progress(traffic)
            environment.pause(0.2, 1.0)
            with _open_client(environment) as client:
                client.flushall()
            await_progress(traffic)
            told = wait_until(lambda: all(log.resyncs for log in traffic.sockets.logs), seconds=10)
    found = traffic.collect_findings(wipes=rounds)
    found.must(told, "every socket got RESYNC")
    found.must(traffic.drain_seconds <= 60, "drained within 60 s")
    return found


def fill(environment: FaultEnvironment) -> Findings:
    """11: Valkey is full and refuses writes: sends go on, and all drains once there is room."""
    restarts = 0
    with environment.make_traffic(per_second=200, settle=120) as traffic:
        await_progress(traffic)
        with _open_client(environment) as client:
            _stuff(client)
            end = time.monotonic() + environment.scale(short=4, full=20)
            while time.monotonic() < end:
                environment.pause(0.5)
                restarts += environment.stack.restart_dead()
            client.delete("faults:ballast")
        restarts += environment.stack.restart_dead()
        resumed = await_progress(traffic, seconds=60)
    found = traffic.collect_findings(resumed_s=round(resumed, 1), restarts=restarts)
    check_accepting(environment, found, traffic)
    return found


def check_accepting(environment: FaultEnvironment, found: Findings, traffic: Traffic) -> None:
    """No 503; in short rows a few, which a busy machine causes."""
    refused = traffic.ledger.count_answers(503)
    share = 0.05 if environment.is_short else 0
    found.must(refused <= share * traffic.ledger.accepted, "sends keep being accepted")


def _stuff(client: redis.Redis) -> None:
    """Append to one key until the limit refuses it."""
    size = 1 << 20
    while size > 64:
        try:
            client.append("faults:ballast", "x" * size)
        except redis.ResponseError:
            size //= 2


def start(environment: FaultEnvironment) -> None:
    """Bring Valkey back and wait until it answers."""
    server = environment.stack.servers["valkey"]
    server.start()


def _open_client(environment: FaultEnvironment) -> redis.Redis:
    return redis.Redis.from_url(environment.stack.environ["CARILLON_VALKEY_URL"])


def _count_threads(environment: FaultEnvironment) -> int:
    pid = environment.stack.processes["web"].pid
    return psutil.Process(pid).num_threads() if pid else 0
