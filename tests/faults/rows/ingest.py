"""Rows 1 to 3: what happens to the door and to its answers."""

import asyncio
import time
from collections import Counter

from ops.local.polling import wait_until
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.plain_http import Connection
from tests.faults.proxy import LossyProxy
from tests.faults.rows.workers import is_answering


def kill_web(environment: FaultEnvironment) -> Findings:
    """1: web is killed in the middle of batches, every two seconds.

    For the first time before its clients have seen a frame: they come back without a position.
    """
    rounds, slowest = environment.scale(short=2, full=20), 0.0
    seen: list[int] = []
    worker = environment.stack["worker-sends"]
    worker.freeze()
    with environment.make_traffic(per_second=300, connections=16) as traffic:
        for _ in range(rounds):
            environment.pause(0.5, 1.5)
            seen.append(traffic.sockets.seen)
            accepted = traffic.ledger.accepted
            began = time.monotonic()
            environment.stack.relaunch("web")
            worker.thaw()
            wait_until(lambda: is_answering(environment), seconds=20)
            slowest = max(slowest, time.monotonic() - began)
            assert wait_until(lambda n=accepted: traffic.ledger.accepted > n, seconds=20)  # type: ignore[misc]
    found = traffic.collect_findings(kills=rounds, slowest_up_s=round(slowest, 1))
    found.must(slowest < environment.relax(3), "up again in 3 s")
    found.must(not seen[0], "killed before the first frame")
    return found


def lose_answers(environment: FaultEnvironment) -> Findings:
    """2: a proxy drops one answer in twenty; a retry with the key gives the first answer again."""
    with LossyProxy(environment.stack.url, share=0.05, seed=environment.seed) as proxy:
        count = environment.scale(short=600, full=10_000)
        with environment.make_traffic(url=proxy.url, per_second=400, limit=count) as traffic:
            wait_until(lambda: traffic.load.is_done, seconds=120)
    found = traffic.collect_findings(dropped=proxy.dropped)
    found.must(proxy.dropped > 0, "answers were dropped")
    return found


def same_key_at_once(environment: FaultEnvironment) -> Findings:
    """3: fifty requests with one key at once: one row, fifty equal ids."""
    rounds, found = environment.scale(short=3, full=20), Findings()
    for number in range(rounds):
        sender, receiver = environment.add_people(2)
        headers = {
            "Authorization": f"Bearer {environment.client.token(sender)}",
            "Idempotency-Key": f"same-{environment.seed}-{number}-{sender}",
        }
        body = {"type": "MESSAGE", "title": "同", "content": "同", "receiver_id": receiver}
        ids = asyncio.run(_send_fifty(environment.stack.url, headers, body))
        rows = environment.query(
            "SELECT count(*) FROM (SELECT id FROM accepted WHERE sender_id = :id"
            " UNION SELECT id FROM messages WHERE sender_id = :id) AS found",
            id=sender,
        )
        found.must(rows == 1, f"one row (round {number}: {rows})")
        found.must(len(ids) == 1 and ids.total() == 50, f"fifty equal ids (round {number}: {ids})")
    found.figures = {"rounds": rounds}
    return found


async def _send_fifty(url: str, headers: dict[str, str], body: dict[str, object]) -> "Counter[int]":
    host, _, port = url.partition("://")[2].partition(":")
    connections = [Connection(host, int(port), timeout=10) for _ in range(50)]
    replies = await asyncio.gather(
        *(
            connection.ask("POST", "/api/v1/messages/", headers=headers, body=body)
            for connection in connections
        )
    )
    for connection in connections:
        connection.close()
    return Counter(reply.json["id"] if reply.status == 200 else -reply.status for reply in replies)
