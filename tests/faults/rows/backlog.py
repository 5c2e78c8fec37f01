"""Row 22: more is sent than the workers can take."""

import asyncio
import time
from typing import Any

import psutil
import redis

from ops.local.polling import wait_until
from tests.faults.business import Business, add_business, check_counters
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.plain_http import Connection
from tests.faults.rows.workers import SENDS

PIECE = 500  # sends in one request
SENDERS, TRIES = 4, 3


def pile_up(environment: FaultEnvironment) -> Findings:
    """22: sends up to the cap while nobody takes them; then 503; then all of it drains."""
    sender, people = add_business(environment), environment.add_people(50)
    environment.stack[SENDS].kill()
    before, began = _read_rss(environment), time.monotonic()
    left_over: dict[int, str] = {}
    accepted, refused = asyncio.run(_send_until_refused(sender, people, left_over))
    filled, rings = time.monotonic() - began, _count_rings(environment)
    grown = _read_rss(environment) - before
    environment.stack.relaunch(SENDS)
    began = time.monotonic()
    left = "SELECT (SELECT count(*) FROM accepted) + (SELECT count(*) FROM unpublished)"
    wait_until(lambda: not environment.query(left), seconds=400)
    seconds = time.monotonic() - began
    found = Findings(
        {
            "accepted": accepted,
            "refused": refused,
            "filled s": round(filled),
            "web grew MiB": grown >> 20,
            "rings/rows": round(rings / accepted, 3),
            "drained/s": round(accepted / seconds),
        }
    )
    # What was answered 503 may have been taken in all the same: asked again, with its key, it counts once.
    accepted += asyncio.run(_send_again(sender, people, left_over))
    wait_until(lambda: not environment.query(left), seconds=60)
    delivered = environment.query(
        "SELECT count(*) FROM deliveries WHERE user_id = ANY(:people)", people=people
    )
    found.must(delivered == accepted, f"all are delivered once ({delivered} of {accepted})")
    found.must(refused > 0, "503 at the cap")
    found.must(grown < 64 << 20, "memory stays flat")
    found.must(rings / accepted < 1.5, "fewer than 1.5 rings a row")
    check_counters(found, environment)
    return found


async def _send_until_refused(
    sender: Business, people: list[int], left_over: dict[int, str]
) -> tuple[int, int]:
    outcomes = await asyncio.gather(
        *(_send(sender, people, place, left_over) for place in range(SENDERS))
    )
    return sum(accepted for accepted, _ in outcomes), sum(refused for _, refused in outcomes)


async def _send(
    sender: Business, people: list[int], place: int, left_over: dict[int, str]
) -> tuple[int, int]:
    """Piece after piece; the one that is refused is tried thrice and then left."""
    accepted = refused = piece = 0
    while refused < TRIES:
        taken = await _send_piece(sender, people, key=f"{place}-{piece}")
        accepted += taken
        refused = 0 if taken else refused + 1
        piece += bool(taken)
        await asyncio.sleep(0 if taken else 0.2)
    left_over[place] = f"{place}-{piece}"
    return accepted, refused


async def _send_again(sender: Business, people: list[int], left_over: dict[int, str]) -> int:
    return sum([await _send_piece(sender, people, key=key) for key in left_over.values()])


async def _send_piece(sender: Business, people: list[int], *, key: str) -> int:
    """One request with a key of its own; how many of it were accepted, now or before."""
    host, _, port = sender.environment.stack.url.partition("://")[2].partition(":")
    connection = Connection(host, int(port), timeout=30)
    with sender.http() as http:
        headers = {name: http.headers[name] for name in ("X-App-Id", "X-Timestamp", "X-Sign")}
    body = {"messages": [_make_entry(people[n % len(people)]) for n in range(PIECE)]}
    reply = await connection.ask(
        "POST",
        "/api/v1/messages/batch",
        headers=headers | {"Idempotency-Key": f"{sender.app_id}-{key}"},
        body=body,
    )
    connection.close()
    if reply.status == 503:
        return 0
    return sum(result["status"] == 200 for result in reply.json["results"])


def _make_entry(person: int) -> dict[str, Any]:
    return {"type": "NOTIFICATION", "title": "积压", "content": "积压", "receiver_id": person}


def _read_rss(environment: FaultEnvironment) -> int:
    pid = environment.stack.processes["web"].pid
    assert pid is not None
    return int(psutil.Process(pid).memory_info().rss)


def _count_rings(environment: FaultEnvironment) -> int:
    with redis.Redis.from_url(environment.stack.environ["CARILLON_VALKEY_URL"]) as client:
        return int(client.llen("sends"))
