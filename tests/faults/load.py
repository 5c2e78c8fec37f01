"""A bounded, seeded load of private messages, and the ledger of what became of each.

Runs in a thread with an event loop of its own, so that a row can do its damage meanwhile. A send whose
answer was lost or was 503 is tried again with its Idempotency-Key, until it is answered otherwise.
"""

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from tests.faults.ledger import LOST, Answer, Ledger, Sent
from tests.faults.plain_http import Broken, Connection

# How long one attempt may take before the client calls its answer lost.
PATIENCE = 10.0
PAUSE_SECONDS = 0.05  # before a retry
FINISH_SECONDS = 15.0  # for what is under way when the load is told to stop


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: who, how many a second, by how many at once, and how many at most."""

    people: Sequence[int]
    token: Callable[[int], str]
    per_second: float = 200.0
    connections: int = 8
    limit: int = 1_000_000
    title: str = "私信"


class Load:
    """Sends while it is open (`with`); afterwards the ledger is whole."""

    def __init__(self, url: str, plan: Plan, *, run: str, seed: int) -> None:
        """`run` names this load in every body and key."""
        self._address = urlsplit(url)
        self._plan = plan
        self._seed = seed
        self.ledger = Ledger(run)
        self._numbers: Iterator[int] = count()
        self._is_over = False
        self._began = 0.0
        self._ends_at = math.inf
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def __enter__(self) -> "Load":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends_at = time.monotonic() + FINISH_SECONDS
        self._is_over = True
        self._thread.join()

    @property
    def people(self) -> Sequence[int]:
        """Who sends to whom."""
        return self._plan.people

    @property
    def is_done(self) -> bool:
        """Whether everything up to the limit has been sent."""
        return not self._thread.is_alive()

    async def _run(self) -> None:
        senders = [self._send_many(place) for place in range(self._plan.connections)]
        await asyncio.gather(*senders)

    async def _send_many(self, place: int) -> None:
        chance = random.Random(f"{self._seed} {place}")
        host, port = self._address.hostname or "", self._address.port or 80
        connection = Connection(host, port, timeout=PATIENCE)
        headers = {person: self._headers(person) for person in self._plan.people}
        while not self._is_over and (number := next(self._numbers)) < self._plan.limit:
            due_at = self._began + number / self._plan.per_second
            await asyncio.sleep(due_at - time.monotonic())
            sender, receiver = chance.sample(list(self._plan.people), 2)
            await self._send(connection, number, (sender, receiver), headers[sender])
        connection.close()

    def _headers(self, person: int) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._plan.token(person)}"}

    async def _send(
        self, connection: Connection, number: int, pair: tuple[int, int], headers: dict[str, str]
    ) -> None:
        key = f"{self.ledger.run}-{number}"
        body = self._body(number, pair[1])
        began_at = time.monotonic()
        attempts, status, ids = 0, LOST, set[int]()
        while status in {LOST, 503} and self._may_try(attempts):
            if attempts:
                await asyncio.sleep(PAUSE_SECONDS)
            attempts += 1
            status, id = await self._attempt(connection, headers | {"Idempotency-Key": key}, body)
            ids |= {id} - {0}
        self.ledger.note(
            Sent(
                *(number, *pair, key, status, tuple(sorted(ids)), attempts),
                began_at=began_at,
                ended_at=time.monotonic(),
            )
        )

    def _body(self, number: int, receiver_id: int) -> dict[str, object]:
        return {
            "type": "MESSAGE",
            "title": self._plan.title,
            "content": self.ledger.content(number),
            "receiver_id": receiver_id,
        }

    def _may_try(self, attempts: int) -> bool:
        """Once at least; when the load is over, for a while yet, so that few fates stay unknown."""
        return not attempts or time.monotonic() < self._ends_at

    async def _attempt(
        self, connection: Connection, headers: dict[str, str], body: dict[str, object]
    ) -> tuple[int, int]:
        began_at = time.monotonic()
        try:
            reply = await connection.ask("POST", "/api/v1/messages/", headers=headers, body=body)
        except Broken:
            self.ledger.answers.append(Answer(LOST, began_at, time.monotonic() - began_at))
            return LOST, 0
        seconds = time.monotonic() - began_at
        answer = Answer(
            *(reply.status, began_at, seconds),
            has_retry_after="retry-after" in reply.headers,
            detail="" if reply.status == 200 else str(reply.json["detail"]),
        )
        self.ledger.answers.append(answer)
        return reply.status, reply.json["id"] if reply.status == 200 else 0
