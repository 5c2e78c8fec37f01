"""Rows 44 and 45: what has to happen by the clock, when much is due at once, and when beat hangs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ingest.sends.intake import FULL
from ops.local.polling import wait_until
from tests.faults.business import Business, add_business, check_counters
from tests.faults.environment import FaultEnvironment, Findings

AHEAD_SECONDS = 2.0


def freeze_beat(environment: FaultEnvironment) -> Findings:
    """45: beat hangs; scheduled sends go all the same, and it is told."""
    sender, receiver = environment.add_people(2)
    environment.stack["beat"].freeze()
    began, latest, rounds = time.monotonic(), 0.0, 0
    while rounds == 0 or time.monotonic() - began < environment.scale(short=5, full=60):
        latest = max(latest, measure_lateness(environment, sender, receiver))
        rounds += 1
    age = read_gauge(environment, "carillon_sweep_age_seconds")
    environment.stack["beat"].thaw()
    found = Findings({"accepted": rounds, "latest s": round(latest, 1), "told s": round(age, 1)})
    found.must(latest <= environment.relax(5), "scheduled sends are at most 5 s late")
    found.must(age > AHEAD_SECONDS, "carillon_sweep_age_seconds tells that beat hangs")
    is_back = wait_until(
        lambda: read_gauge(environment, "carillon_sweep_age_seconds") < 3, seconds=20
    )
    found.must(is_back, "beat sweeps again")
    return found


def measure_lateness(environment: FaultEnvironment, sender: int, receiver: int) -> float:
    """Schedule a send and return how many seconds after it was due it is in the history."""
    due = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
    body = {
        "type": "MESSAGE",
        "title": "定时",
        "content": "定时",
        "receiver_id": receiver,
        "send_at": due.isoformat(),
    }
    with environment.client.user(sender) as http:
        answer = post_again(lambda: http.post("/messages/", json=body))
    there = "SELECT EXISTS (SELECT 1 FROM messages WHERE id = :id)"
    id = answer.json()["id"]
    assert wait_until(lambda: environment.query(there, id=id), seconds=60), "it is never delivered"
    return max(0.0, (datetime.now(UTC) - due).total_seconds())


def post_again(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is not 503; a busy machine may give some of those before."""
    answers = [ask()]
    while answers[-1].status_code == 503 and len(answers) < 20:
        answers.append(ask())
    assert answers[-1].status_code == 200, answers[-1].text
    return answers[-1]


def read_gauge(environment: FaultEnvironment, name: str) -> float:
    """A gauge of ingest's /metrics."""
    metrics = httpx.get(f"{environment.stack.url}/metrics", timeout=10).text
    [line] = [line for line in metrics.splitlines() if line.startswith(name)]
    return float(line.split()[-1])


# With them row 44 has a month to let go, and more that is due at one instant than may wait.
SETTINGS = {"CARILLON_ACCEPTED_CAP": "5000", "CARILLON_RETENTION_DAYS": "40"}
AT_ONE_INSTANT, A_BATCH = 27_500, 500

_OLD_KEYS = """
INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, created_at, send)
SELECT 'app:0', n::text, '', n, clock_timestamp() - interval '30 days' + make_interval(secs => n / 10.0), '{}'
  FROM generate_series(1, :count) AS n RETURNING 1
"""
_OLD_MONTH = """
DO $$
DECLARE
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') - interval '4 months';
  low bigint := message_id_floor(month AT TIME ZONE 'UTC');
  high bigint := message_id_floor((month + interval '1 month') AT TIME ZONE 'UTC');
  suffix text := to_char(month, '"_y"YYYY"m"MM');
BEGIN
  EXECUTE format('CREATE TABLE %%I PARTITION OF messages FOR VALUES FROM (%%s) TO (%%s)', 'messages' || suffix, low, high);
  EXECUTE format('CREATE TABLE %%I PARTITION OF deliveries FOR VALUES FROM (%%s) TO (%%s)', 'deliveries' || suffix, low, high);
  INSERT INTO messages (id, app_id, type, content_type, title, content) VALUES (low + 2, 1, 'NOTIFICATION', 'TEXT', 't', 't');
  INSERT INTO deliveries (user_id, peer_id, message_id, read_at)
  SELECT n, -1, low + 2, CASE WHEN n %% 30 > 0 THEN now() END FROM generate_series(900000000, 900000000 + {count}) AS n;
  INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)
  SELECT user_id, peer_id, (read_at IS NULL)::int, message_id, now() FROM deliveries WHERE message_id = low + 2;
END $$
"""
_OLD_LEFT = """
SELECT (SELECT count(*) FROM idempotency_keys WHERE caller = 'app:0')
     + (SELECT count(*) FROM conversations WHERE user_id >= 900000000)
     + (SELECT count(*) FROM retention_progress)
"""


def catch_up(environment: FaultEnvironment) -> Findings:
    """44: millions of old keys, a month to let go, and thousands of scheduled sends of one instant."""
    environment.query(_OLD_KEYS, count=environment.scale(short=300_000, full=5_000_000))
    environment.execute(
        _OLD_MONTH.replace("{count}", str(environment.scale(short=50_000, full=1_000_000)))
    )
    sender, receivers = add_business(environment), environment.add_people(100)
    one, other = environment.add_people(2)
    latest = 0.0
    began = time.monotonic()
    with environment.make_traffic(per_second=50, people=4) as traffic:
        due = _schedule_many(sender, receivers, seconds=environment.scale(short=15, full=20))
        rounds = 0
        while rounds == 0 or (environment.query(_OLD_LEFT) and time.monotonic() - began < 900):
            distance = abs((datetime.now(UTC) - due).total_seconds())
            if distance > environment.scale(short=4, full=10):  # not behind those of one instant
                latest = max(latest, measure_lateness(environment, one, other))
                rounds += 1
        caught_up = time.monotonic() - began
        delivered = "SELECT count(*) FROM deliveries WHERE user_id = ANY(:people)"
        is_there = wait_until(
            lambda: environment.query(delivered, people=receivers) == AT_ONE_INSTANT, seconds=120
        )
    found = traffic.collect_findings(latest_s=round(latest, 1), caught_up_s=round(caught_up))
    found.must(not environment.query(_OLD_LEFT), "upkeep catches up")
    found.must(latest <= environment.relax(2), "scheduled sends are at most 2 s late meanwhile")
    found.must(is_there, f"all {AT_ONE_INSTANT} of one instant are delivered once")
    found.must(FULL not in traffic.ledger.describe_refusals(), "nobody is answered 503 for them")
    check_counters(found, environment)
    return found


def _schedule_many(sender: Business, receivers: list[int], *, seconds: float) -> datetime:
    """Have AT_ONE_INSTANT sends accepted for one instant, so many seconds from now."""
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    for start in range(0, AT_ONE_INSTANT, A_BATCH):
        entries = [
            {
                "type": "NOTIFICATION",
                "title": "定时",
                "content": "定时",
                "receiver_id": receivers[number % len(receivers)],
                "send_at": due.isoformat(),
            }
            for number in range(start, start + A_BATCH)
        ]
        answer = _insist(sender, entries, key=f"{sender.app_id}-{start}")
        assert all(one["status"] == 200 for one in answer["results"])
    return due


def _insist(sender: Business, entries: list[dict[str, Any]], *, key: str) -> Any:
    """One batch, again under its key while a busy machine says 503."""
    with sender.http() as http:
        headers = {"Idempotency-Key": key}
        body = {"messages": entries}
        return post_again(lambda: http.post("/messages/batch", json=body, headers=headers)).json()
