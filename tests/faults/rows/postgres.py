"""Rows 13 to 15: what happens to PostgreSQL, which is the record."""

import os
import signal
import time

from ops.local.polling import wait_until
from tests.faults.environment import FaultEnvironment, Findings, Traffic
from tests.faults.ledger import Answer


def kill_backend(environment: FaultEnvironment) -> Findings:
    """13: a backend of ingest is killed: PostgreSQL restarts itself, with 503 meanwhile."""
    rounds, longest = environment.scale(short=2, full=10), 0.0
    with environment.make_traffic(per_second=200) as traffic:
        for _ in range(rounds):
            await_accepted(traffic)
            environment.pause(0.2, 1.0)
            pid = environment.query(
                "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'carillon ingest%'"
                " ORDER BY random() LIMIT 1"
            )
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            environment.engine.dispose()
            await_accepted(traffic, after=began)
            longest = max(longest, time.monotonic() - began)
    found = traffic.collect_findings(kills=rounds, longest_away_s=round(longest, 1))
    found.must(longest <= environment.relax(5), "503 for at most 5 s each")
    return found


def kill(environment: FaultEnvironment) -> Findings:
    """14: PostgreSQL is killed and started again after a while."""
    rounds, longest = environment.scale(short=1, full=3), 0.0
    outages = []
    with environment.make_traffic(per_second=100) as traffic:
        for _ in range(rounds):
            await_accepted(traffic)
            environment.pause(0.2, 0.8)
            down_at = time.monotonic()
            environment.stack["postgres"].kill()
            environment.engine.dispose()
            environment.pause(1.5, 2.0 if environment.is_short else 5.0)
            server = environment.stack.servers["postgres"]
            server.start()
            up_at = time.monotonic()
            outages.append((down_at, up_at))
            await_accepted(traffic, after=up_at)
            longest = max(longest, time.monotonic() - up_at)
    found = traffic.collect_findings(kills=rounds, recovered_s=round(longest, 1))
    found.must(longest <= environment.relax(10), "recovers within 10 s")
    refuse_quickly(
        environment, found, [a for down, up in outages for a in select_within(traffic, down, up)]
    )
    return found


def freeze(environment: FaultEnvironment) -> Findings:
    """15: PostgreSQL hangs for five seconds: 503 in a second, and nobody hangs with it."""
    with environment.make_traffic(per_second=100) as traffic:
        await_accepted(traffic)
        environment.stack["postgres"].freeze()
        down_at = time.monotonic()
        environment.pause(5.0)
        up_at = time.monotonic()
        environment.stack["postgres"].thaw()
        await_accepted(traffic, after=up_at)
        longest = time.monotonic() - up_at
    found = traffic.collect_findings(recovered_s=round(longest, 1))
    found.must(longest <= environment.relax(10), "recovers within 10 s")
    refuse_quickly(environment, found, select_within(traffic, down_at, up_at))
    return found


def refuse_quickly(environment: FaultEnvironment, found: Findings, answers: list[Answer]) -> None:
    """While the record was away: 503 with Retry-After, within a second."""
    refused = [answer for answer in answers if answer.status == 503]
    slowest = max((answer.seconds for answer in answers), default=0.0)
    found.figures["503 slowest ms"] = round(slowest * 1000)
    found.must(bool(refused), "there were 503")
    found.must(all(answer.has_retry_after for answer in refused), "503 with Retry-After")
    found.must(slowest < environment.relax(1.1), "503 within a second")


def select_within(traffic: Traffic, down_at: float, up_at: float) -> list[Answer]:
    """The answers to what was asked while something was away, and answered before it was back."""
    return [
        answer
        for answer in traffic.ledger.answers
        if down_at <= answer.began_at and answer.began_at + answer.seconds <= up_at
    ]


def await_accepted(traffic: Traffic, *, after: float | None = None) -> None:
    """Wait until something that was asked from now on (or `after`) has been accepted."""
    since = after or time.monotonic()

    def is_accepted() -> bool:
        return any(s.is_accepted and s.ended_at > since for s in traffic.ledger.sent[-20:])

    assert wait_until(is_accepted, seconds=30), "nothing is accepted"
