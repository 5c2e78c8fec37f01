"""Rows 30 and 41: the clocks of processes are wrong (libfaketime), where PostgreSQL's rules; and PostgreSQL's own."""

import hashlib
import hmac
import os
import time
from collections.abc import Iterable
from pathlib import Path

import httpx

from ops.local.polling import wait_until
from storage.keys.tokens import TokenSettings, issue_token
from storage.settings import load
from tests import wrong_clock
from tests.faults.business import Business, add_business
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import LOST, Sent
from tests.faults.rows.postgres import await_accepted, select_within
from tests.faults.rows.schedule import read_gauge
from tests.faults.rows.workers import SENDS, await_progress

LIBRARIES = (
    os.environ.get("CARILLON_TEST_FAKETIME", ""),
    *map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1")),
)
OFF_SECONDS = 600


def shift(environment: FaultEnvironment) -> Findings:
    """30: ingest is ten minutes ahead and the worker ten behind, then the other way round."""
    library = next((path for path in LIBRARIES if path and Path(path).exists()), None)
    if library is None:
        return Findings({"skipped": "no libfaketime; CARILLON_TEST_FAKETIME may name it"})
    found, sender = Findings(), add_business(environment)
    for web, worker in ((OFF_SECONDS, -OFF_SECONDS), (-OFF_SECONDS, OFF_SECONDS)):
        environment.stack.relaunch("web", **_make_clock_environ(library, web))
        environment.stack.relaunch(SENDS, **_make_clock_environ(library, worker))
        environment.stack.wait_ready()
        _judge_credentials(found, sender, web)
        with environment.make_traffic(
            per_second=150, token=lambda person: _issue_token(environment, person, ttl_seconds=7200)
        ) as traffic:
            for _ in range(environment.scale(short=1, full=10)):
                await_progress(traffic)
                environment.pause(0.3, 1.0)
                environment.stack.relaunch(SENDS)
            await_progress(traffic)
        judged = traffic.collect_findings()
        found.failures += judged.failures
        accepted = found.figures.get("accepted", 0) + judged.figures["accepted"]
        found.figures = judged.figures | {"accepted": accepted}
    for name in ("web", SENDS):
        environment.stack.relaunch(name, LD_PRELOAD="", FAKETIME="")
    environment.stack.wait_ready()
    return found


def _make_clock_environ(library: str, seconds: int) -> dict[str, str]:
    # Monotonic clocks are left alone: a machine with a wrong clock has a right stopwatch.
    return {
        "LD_PRELOAD": library,
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


def _issue_token(environment: FaultEnvironment, person: int, *, ttl_seconds: float) -> str:
    settings = load(TokenSettings, environment.stack.environ)
    return issue_token(settings, person, ttl_seconds=ttl_seconds, now=time.time())


def _judge_credentials(found: Findings, sender: Business, off: int) -> None:
    """Tokens and signatures are judged by the clock of the process that is asked (contract §1)."""
    environment = sender.environment
    [person] = environment.add_people(1)
    for ttl, expected in ((OFF_SECONDS - 60, 401 if off > 0 else 200), (OFF_SECONDS + 60, 200)):
        headers = {"Authorization": f"Bearer {_issue_token(environment, person, ttl_seconds=ttl)}"}
        url = f"{environment.stack.url}/api/v1/messages/unread-count"
        status = httpx.get(url, headers=headers, timeout=10).status_code
        found.must(status == expected, f"a token of {ttl} s, clock {off:+d}: {expected} ({status})")
    for shift_seconds, expected in ((0, 401), (off, 200)):
        status = _send_signed(sender, at=time.time() + shift_seconds)
        found.must(
            status == expected,
            f"signed {shift_seconds:+d} s, clock {off:+d}: {expected} ({status})",
        )


def _send_signed(sender: Business, *, at: float) -> int:
    signed = f"app_id={sender.app_id}&timestamp={int(at)}"
    sign = hmac.new(sender.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    headers = {"X-App-Id": sender.app_id, "X-Timestamp": str(int(at)), "X-Sign": sign}
    url = f"{sender.environment.stack.url}/api/v1/broadcasts"
    return httpx.get(url, headers=headers, timeout=10).status_code


AHEAD = "carillon_database_clock_ahead_seconds"
AHEAD_SECONDS = 7 * 30 * 86_400.0


def set_postgres(environment: FaultEnvironment) -> Findings:
    """41: PostgreSQL's clock goes two and five seconds back, then seven months ahead, two seconds each."""
    wrong_clock.install(environment.engine)
    try:
        _relaunch_all(environment)
        return _set_back_and_ahead(environment)
    finally:
        wrong_clock.remove(environment.engine)
        _relaunch_all(environment)


def _set_back_and_ahead(environment: FaultEnvironment) -> Findings:
    with environment.make_traffic(
        per_second=10_000, connections=32, limit=100_000, sockets=1
    ) as traffic:
        for seconds in (-2.0, -5.0):
            await_progress(traffic)
            wrong_clock.shift(environment.engine, seconds)
            environment.pause(2.0)
            wrong_clock.shift(environment.engine, 0.0)
        await_accepted(traffic)
        wrong_clock.shift(environment.engine, AHEAD_SECONDS)
        ahead_at = time.monotonic()
        is_told = wait_until(lambda: read_gauge(environment, AHEAD) > 3600, seconds=10)
        environment.pause(1.0)
        right_at = time.monotonic()
        wrong_clock.shift(environment.engine, 0.0)
        await_accepted(traffic)
    found = traffic.collect_findings()
    refused = select_within(traffic, ahead_at, right_at)
    found.must({answer.status for answer in refused} == {503}, "months ahead nothing is accepted")
    statuses = {answer.status for answer in traffic.ledger.answers}
    found.must(statuses <= {200, 503, LOST}, f"no other answer than 200 and 503 ({statuses})")
    found.must(is_told, f"{AHEAD} says so")
    found.must(not environment.query("SELECT count(*) FROM failed_sends"), "nothing is put aside")
    _read_and_recall(environment, found, traffic.ledger.sent[::997])
    return found


def _relaunch_all(environment: FaultEnvironment) -> None:
    """Sessions that began before know nothing of the clock that can be set."""
    for name in list(environment.stack.processes):
        environment.stack.relaunch(name)
    environment.stack.wait_ready()


def _read_and_recall(environment: FaultEnvironment, found: Findings, sent: Iterable[Sent]) -> None:
    """Under every id is the message that was answered with it, and taking it back takes that one."""
    for one in (one for one in sent if one.is_accepted):
        url = f"{environment.stack.url}/api/v1/messages/{one.ids[0]}"
        headers = {"Authorization": f"Bearer {environment.client.token(one.sender_id)}"}
        seen = httpx.get(url, headers=headers, timeout=10)
        is_it = seen.status_code == 200 and seen.json()["receiver_id"] == one.receiver_id
        found.must(is_it, f"GET {one.ids[0]} shows what was sent")
        gone = httpx.delete(url, headers=headers, timeout=10).status_code
        found.must(gone == 204, f"DELETE {one.ids[0]} takes it back ({gone})")
