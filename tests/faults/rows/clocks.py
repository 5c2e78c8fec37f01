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
from tests.faults.business import Business, business
from tests.faults.environment import Findings, Ground
from tests.faults.ledger import LOST, Sent
from tests.faults.rows.postgres import await_accepted, within
from tests.faults.rows.schedule import gauge
from tests.faults.rows.workers import SENDS, await_progress

LIBRARIES = (
    os.environ.get("CARILLON_TEST_FAKETIME", ""),
    *map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1")),
)
OFF_SECONDS = 600


def shift(ground: Ground) -> Findings:
    """30: ingest is ten minutes ahead and the worker ten behind, then the other way round."""
    library = next((path for path in LIBRARIES if path and Path(path).exists()), None)
    if library is None:
        return Findings({"skipped": "no libfaketime; CARILLON_TEST_FAKETIME may name it"})
    found, sender = Findings(), business(ground)
    for web, worker in ((OFF_SECONDS, -OFF_SECONDS), (-OFF_SECONDS, OFF_SECONDS)):
        ground.stack.relaunch("web", **_clock(library, web))
        ground.stack.relaunch(SENDS, **_clock(library, worker))
        ground.stack.wait_ready()
        _judge_credentials(found, sender, web)
        with ground.traffic(
            per_second=150, token=lambda person: _token(ground, person, ttl_seconds=7200)
        ) as traffic:
            for _ in range(ground.scale(short=1, full=10)):
                await_progress(traffic)
                ground.pause(0.3, 1.0)
                ground.stack.relaunch(SENDS)
            await_progress(traffic)
        judged = traffic.findings()
        found.failures += judged.failures
        accepted = found.figures.get("accepted", 0) + judged.figures["accepted"]
        found.figures = judged.figures | {"accepted": accepted}
    for name in ("web", SENDS):
        ground.stack.relaunch(name, LD_PRELOAD="", FAKETIME="")
    ground.stack.wait_ready()
    return found


def _clock(library: str, seconds: int) -> dict[str, str]:
    # Monotonic clocks are left alone: a machine with a wrong clock has a right stopwatch.
    return {
        "LD_PRELOAD": library,
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


def _token(ground: Ground, person: int, *, ttl_seconds: float) -> str:
    settings = load(TokenSettings, ground.stack.environ)
    return issue_token(settings, person, ttl_seconds=ttl_seconds, now=time.time())


def _judge_credentials(found: Findings, sender: Business, off: int) -> None:
    """Tokens and signatures are judged by the clock of the process that is asked (contract §1)."""
    ground = sender.ground
    [person] = ground.people(1)
    for ttl, expected in ((OFF_SECONDS - 60, 401 if off > 0 else 200), (OFF_SECONDS + 60, 200)):
        headers = {"Authorization": f"Bearer {_token(ground, person, ttl_seconds=ttl)}"}
        url = f"{ground.stack.url}/api/v1/messages/unread-count"
        status = httpx.get(url, headers=headers, timeout=10).status_code
        found.must(status == expected, f"a token of {ttl} s, clock {off:+d}: {expected} ({status})")
    for shift_seconds, expected in ((0, 401), (off, 200)):
        status = _signed(sender, at=time.time() + shift_seconds)
        found.must(
            status == expected,
            f"signed {shift_seconds:+d} s, clock {off:+d}: {expected} ({status})",
        )


def _signed(sender: Business, *, at: float) -> int:
    signed = f"app_id={sender.app_id}&timestamp={int(at)}"
    sign = hmac.new(sender.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    headers = {"X-App-Id": sender.app_id, "X-Timestamp": str(int(at)), "X-Sign": sign}
    url = f"{sender.ground.stack.url}/api/v1/broadcasts"
    return httpx.get(url, headers=headers, timeout=10).status_code


AHEAD = "carillon_database_clock_ahead_seconds"
AHEAD_SECONDS = 7 * 30 * 86_400.0


def set_postgres(ground: Ground) -> Findings:
    """41: PostgreSQL's clock goes two and five seconds back, then seven months ahead, two seconds each."""
    wrong_clock.install(ground.engine)
    try:
        _relaunch_all(ground)
        return _set_back_and_ahead(ground)
    finally:
        wrong_clock.remove(ground.engine)
        _relaunch_all(ground)


def _set_back_and_ahead(ground: Ground) -> Findings:
    with ground.traffic(per_second=10_000, connections=32, limit=100_000, sockets=1) as traffic:
        for seconds in (-2.0, -5.0):
            await_progress(traffic)
            wrong_clock.shift(ground.engine, seconds)
            ground.pause(2.0)
            wrong_clock.shift(ground.engine, 0.0)
        await_accepted(traffic)
        wrong_clock.shift(ground.engine, AHEAD_SECONDS)
        ahead_at = time.monotonic()
        is_told = wait_until(lambda: gauge(ground, AHEAD) > 3600, seconds=10)
        ground.pause(1.0)
        right_at = time.monotonic()
        wrong_clock.shift(ground.engine, 0.0)
        await_accepted(traffic)
    found = traffic.findings()
    refused = within(traffic, ahead_at, right_at)
    found.must({answer.status for answer in refused} == {503}, "months ahead nothing is accepted")
    statuses = {answer.status for answer in traffic.ledger.answers}
    found.must(statuses <= {200, 503, LOST}, f"no other answer than 200 and 503 ({statuses})")
    found.must(is_told, f"{AHEAD} says so")
    found.must(not ground.ask("SELECT count(*) FROM failed_sends"), "nothing is put aside")
    _read_and_recall(ground, found, traffic.ledger.sent[::997])
    return found


def _relaunch_all(ground: Ground) -> None:
    """Sessions that began before know nothing of the clock that can be set."""
    for name in list(ground.stack.processes):
        ground.stack.relaunch(name)
    ground.stack.wait_ready()


def _read_and_recall(ground: Ground, found: Findings, sent: Iterable[Sent]) -> None:
    """Under every id is the message that was answered with it, and taking it back takes that one."""
    for one in (one for one in sent if one.is_accepted):
        url = f"{ground.stack.url}/api/v1/messages/{one.ids[0]}"
        headers = {"Authorization": f"Bearer {ground.client.token(one.sender_id)}"}
        seen = httpx.get(url, headers=headers, timeout=10)
        is_it = seen.status_code == 200 and seen.json()["receiver_id"] == one.receiver_id
        found.must(is_it, f"GET {one.ids[0]} shows what was sent")
        gone = httpx.delete(url, headers=headers, timeout=10).status_code
        found.must(gone == 204, f"DELETE {one.ids[0]} takes it back ({gone})")
