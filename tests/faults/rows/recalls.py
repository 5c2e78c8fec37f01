"""Row 43: messages are taken back while what pushes them is killed and frozen."""

import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ops.local.polling import wait_until
from storage.model.conversation import make_deliveries
from storage.model.event import NewMessage
from storage.model.message import Message
from storage.postgres.messages.persistence import persist
from storage.postgres.sends import persist_lane
from storage.settings import ValkeySettings, load
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from tests.counters import find_drift
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.rows.workers import SENDS, find_pool
from tests.faults.sockets import Sockets

SENDERS = 6
_LEFT = """
SELECT (SELECT count(*) FROM accepted WHERE NOT is_scheduled) + (SELECT count(*) FROM outbox)
     + (SELECT count(*) FROM unpublished)
"""


class Regretful:
    """Each person sends to the next and takes half of it back, at once or a little later."""

    def __init__(self, environment: FaultEnvironment, people: list[int]) -> None:
        self._environment = environment
        self._people = people
        self._over = threading.Event()
        self.kept: set[int] = set()
        self.recalled: set[int] = set()

    @contextmanager
    def run_devices(self) -> Iterator[None]:
        """Send and take back, a thread for each person, until the end of the block."""
        threads = [threading.Thread(target=self._go_on, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _go_on(self, number: int) -> None:
        sender, receiver = self._people[number], self._people[(number + 1) % SENDERS]
        chance = random.Random(self._environment.seed * 100 + number)
        headers = {"Authorization": f"Bearer {self._environment.client.token(sender)}"}
        base = f"{self._environment.stack.url}/api/v1/messages"
        body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": receiver}
        later: deque[tuple[float, int]] = deque()
        with httpx.Client(headers=headers, timeout=10) as client:
            while not self._over.is_set():
                answer = client.post(f"{base}/", json=body)
                if answer.status_code == 200:
                    self._decide(answer.json()["id"], chance, later)
                while later and later[0][0] <= time.monotonic():
                    self._take_back(client, base, later.popleft()[1])
                self._over.wait(0.02)
            for _, id in later:
                self._take_back(client, base, id)

    def _decide(self, id: int, chance: random.Random, later: "deque[tuple[float, int]]") -> None:
        """Keep it, or take it back: at once, or behind those that are to be taken back before it."""
        if chance.random() < 0.5:
            self.kept.add(id)
        else:
            later.append((time.monotonic() + chance.choice((0.0, 0.0, 0.02, 0.2, 1.0)), id))

    def _take_back(self, client: httpx.Client, base: str, id: int) -> None:
        is_taken = wait_until(lambda: client.delete(f"{base}/{id}").status_code == 204, seconds=60)
        assert is_taken, "a recall is refused for a minute"
        self.recalled.add(id)


def _persist_and_die(environment: FaultEnvironment) -> Message:
    """Do as a holder of the persist lane that dies before it publishes, and return the one message that it persisted."""
    with environment.engine.connect() as connection:
        is_ours = wait_until(
            lambda: persist_lane.take_lane(connection, "dead") is not None, seconds=20
        )
        assert is_ours, "the lane is not free"
        [persisted] = persist(connection, persist_lane.claim(connection, 10).ids)
        persist_lane.leave_lane(connection)
        connection.commit()
    return persisted.message


def _recall_before_it_is_told(
    environment: FaultEnvironment, people: list[int], sockets: Sockets
) -> int:
    """Take back a message before it is published, let a worker publish it late, and return its id.

    One worker dies between persisting and publishing; the other was frozen with it in hand.
    """
    body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": people[1]}
    worker = environment.stack[SENDS]
    with environment.client.user(people[0]) as http:
        worker.freeze()
        try:
            id = int(http.post("/messages/", json=body).json()["id"])
            message = _persist_and_die(environment)
            assert message.id == id
            assert http.delete(f"/messages/{id}").status_code == 204
        finally:
            worker.thaw()
        is_told = wait_until(lambda: id in sockets.logs[1].taken_off, seconds=20)
        assert is_told, "the recall is not told"
        settings = load(ValkeySettings, environment.stack.environ)
        bus = Bus(load(BusSettings, environment.stack.environ), settings)
        recipients = tuple((copy.peer_id, (copy.user_id,)) for copy in make_deliveries(message))
        bus.publish([NewMessage(message, message.content, recipients)])
        bus.close()
        behind = http.post("/messages/", json=body).json()["id"]
    wait_until(lambda: behind in sockets.logs[1].known, seconds=20)
    return id


def recall(environment: FaultEnvironment) -> Findings:
    """43: workers killed, one frozen until it has lost its lane, Valkey frozen; nothing comes back."""
    people = environment.add_people(SENDERS)
    regretful = Regretful(environment, people)
    with Sockets(environment.stack.url, people, token=environment.client.token) as sockets:
        never_told = _recall_before_it_is_told(environment, people, sockets)
        with regretful.run_devices():
            for _ in range(environment.scale(short=2, full=30)):
                environment.pause(0.3, 0.8)
                for child in find_pool(environment):
                    child.kill()
            _freeze(environment, "valkey", seconds=1.5)
            if not environment.is_short:
                _freeze(environment, SENDS, seconds=8)
            environment.pause(0.5)
        has_drained = wait_until(lambda: not environment.query(_LEFT), seconds=60)
        wait_until(lambda: not _find_wrong(regretful, sockets), seconds=10)
        environment.pause(0.3)  # what would come back would come now
    with environment.engine.connect() as connection:
        drifted = len(find_drift(connection))
    told = {id for log in sockets.logs for id in log.taken_off}
    found = Findings(
        {
            "recalled": len(regretful.recalled),
            "kept": len(regretful.kept),
            "taken off screens": len(told),
            "resyncs": sum(log.resyncs for log in sockets.logs),
        }
    )
    pushed = {id for log in sockets.logs for ids in log.sockets for id in ids}
    found.must(never_told not in pushed, "what was recalled before it was told is never pushed")
    found.must(has_drained, "everything is told in the end")
    found.must(bool(regretful.recalled) and bool(told), "something was recalled and told")
    found.must(not drifted, "counters are right")
    for wrong in _find_wrong(regretful, sockets):
        found.must(holds=False, claim=wrong)
    return found


def _freeze(environment: FaultEnvironment, name: str, *, seconds: float) -> None:
    environment.stack[name].freeze()
    environment.pause(seconds)
    environment.stack[name].thaw()


def _find_wrong(regretful: Regretful, sockets: Sockets) -> list[str]:
    """The false claims about the screens: recalled messages that are shown, and kept ones that are not."""
    wrong = []
    for number, log in enumerate(sockets.logs):
        ghosts = log.shown & regretful.recalled
        if ghosts:
            wrong.append(f"device {number} shows none of what was recalled ({len(ghosts)} ghosts)")
    missing = regretful.kept - {id for log in sockets.logs for id in log.shown}
    if missing:
        wrong.append(f"what was kept is shown ({len(missing)} missing)")
    return wrong
