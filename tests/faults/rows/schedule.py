"""Row 45: what has to happen by the clock, when who has to ask for it hangs."""

import time
from datetime import UTC, datetime, timedelta

import httpx

from ops.deadline import wait_until
from tests.faults.ground import Findings, Ground

AHEAD_SECONDS = 2.0


def freeze_beat(ground: Ground) -> Findings:
    """45: beat hangs; scheduled sends go all the same, and it is told."""
    sender, receiver = ground.people(2)
    ground.stack["beat"].freeze()
    began, latest, rounds = time.monotonic(), 0.0, 0
    while rounds == 0 or time.monotonic() - began < ground.scale(short=5, full=60):
        latest = max(latest, seconds_late(ground, sender, receiver))
        rounds += 1
    age = gauge(ground, "carillon_sweep_age_seconds")
    ground.stack["beat"].thaw()
    found = Findings({"accepted": rounds, "latest s": round(latest, 1), "told s": round(age, 1)})
    found.must(latest <= ground.allowed(5), "scheduled sends are at most 5 s late")
    found.must(age > AHEAD_SECONDS, "carillon_sweep_age_seconds tells that beat hangs")
    is_back = wait_until(lambda: gauge(ground, "carillon_sweep_age_seconds") < 3, seconds=20)
    found.must(is_back, "beat sweeps again")
    return found


def seconds_late(ground: Ground, sender: int, receiver: int) -> float:
    """How long after it was due a send of now is in the history."""
    due = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
    answer = httpx.post(
        f"{ground.stack.url}/api/v1/messages/",
        json={
            "type": "MESSAGE",
            "title": "定时",
            "content": "定时",
            "receiver_id": receiver,
            "send_at": due.isoformat(),
        },
        headers={"Authorization": f"Bearer {ground.client.token(sender)}"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    there = "SELECT EXISTS (SELECT 1 FROM messages WHERE id = :id)"
    id = answer.json()["id"]
    assert wait_until(lambda: ground.ask(there, id=id), seconds=60), "it is never delivered"
    return max(0.0, (datetime.now(UTC) - due).total_seconds())


def gauge(ground: Ground, name: str) -> float:
    """A number that ingest tells Prometheus."""
    metrics = httpx.get(f"{ground.stack.url}/metrics", timeout=10).text
    [line] = [line for line in metrics.splitlines() if line.startswith(name)]
    return float(line.split()[-1])
