"""Row 30: the clocks of processes are wrong (libfaketime); PostgreSQL's rules."""

import hashlib
import hmac
import os
import time
from pathlib import Path

import httpx

from storage.settings import load
from storage.tokens import TokenSettings, issue
from tests.faults.business import Business, business
from tests.faults.ground import Findings, Ground
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
    return issue(settings, person, ttl_seconds=ttl_seconds, now=time.time())


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
