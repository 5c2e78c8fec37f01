"""Row 49: a queue and an app are paused and resumed while workers are killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ops.local.polling import wait_until
from storage.model.pause import PauseKind
from storage.postgres import pauses
from tests.builders import A_COMMAND
from tests.faults.business import Business, add_business
from tests.faults.environment import FaultEnvironment, Findings, Traffic
from tests.faults.rows.workers import SENDS, await_progress
from tests.faults.sockets import Sockets

KILLED = (SENDS, "worker-upkeep")
_HELD = "SELECT count(*) FROM held_sends"
_ARRIVED = """
SELECT count(*) FROM deliveries WHERE user_id = :receiver AND message_id = ANY(CAST(:ids AS bigint[]))
"""
_OPEN = "SELECT (SELECT count(*) FROM held_apps) + (SELECT count(*) FROM unpublished)"


class _Sender:
    """An app that sends to one person, one after the other, and remembers the ids in their order."""

    def __init__(self, business: Business, receiver: int) -> None:
        self._business = business
        self._receiver = receiver
        self._over = threading.Event()
        self.ids: list[int] = []
        self.refused = 0

    @contextmanager
    def run(self) -> Iterator[None]:
        """Send until the end of the block."""
        thread = threading.Thread(target=self._send_on)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _send_on(self) -> None:
        body = {
            "type": "NOTIFICATION",
            "title": "通知",
            "content": "c",
            "receiver_id": self._receiver,
        }
        with self._business.http() as http:
            while not self._over.wait(0.02):
                answer = http.post("/messages/", json=body)
                if answer.status_code == 200:
                    self.ids.append(answer.json()["id"])
                else:
                    self.refused += 1


def pause(environment: FaultEnvironment) -> Findings:
    """49: sends are accepted through every pause, and all of them arrive once and in order, whatever is killed."""
    rounds = environment.scale(short=2, full=10)
    [receiver] = environment.add_people(1)
    business = add_business(environment)
    sender = _Sender(business, receiver)
    listener = Sockets(environment.stack.url, [receiver], token=environment.client.token)
    held = 0
    with environment.make_traffic(per_second=100) as traffic, listener:
        with sender.run():
            for _ in range(rounds):
                held = max(held, _pause_app(environment, business, sender))
                _pause_queue(environment, traffic)
        arrived = wait_until(lambda: _has_settled(environment, sender, receiver), seconds=90)
        wait_until(lambda: len(listener.logs[0].known) >= len(sender.ids), seconds=20)
    found = traffic.collect_findings(kills=3 * rounds, app_sends=len(sender.ids), held=held)
    found.must(arrived, "everything of the app is in its receiver's history once")
    found.must(held > 0, "sends of the paused app were put aside")
    found.must(not sender.refused, "every send of the app is accepted during the pauses")
    [log] = listener.logs
    found.must(set(sender.ids) <= log.known, "the receiver's device has all of them")
    for seen in log.sockets:
        found.must(seen == sorted(seen), "on each socket they come in their order")
    return found


def _pause_app(environment: FaultEnvironment, business: Business, sender: _Sender) -> int:
    """Pause the app, kill workers while its sends are put aside and while they come back; how many were aside."""
    with environment.engine.begin() as connection:
        pauses.pause(
            connection, PauseKind.APP, business.app_id, reason="", until=None, actor=A_COMMAND
        )
    wait_until(lambda: bool(environment.query(_HELD)), seconds=30)
    _kill(environment)
    sent = len(sender.ids)
    wait_until(lambda: len(sender.ids) > sent + 20, seconds=30)
    held = int(environment.query(_HELD))
    with environment.engine.begin() as connection:
        pauses.resume(connection, PauseKind.APP, business.app_id, actor=A_COMMAND)
    environment.pause(0.0, 0.8)
    _kill(environment)
    return held


def _pause_queue(environment: FaultEnvironment, traffic: Traffic) -> None:
    """Pause all sends, see that nothing moves, kill a worker, and see that all goes on."""
    with environment.engine.begin() as connection:
        pauses.pause(connection, PauseKind.QUEUE, "sends", reason="", until=None, actor=A_COMMAND)
    environment.pause(1.0)  # what was in hand is finished
    before = traffic.sockets.seen
    _kill(environment)
    environment.pause(0.5, 1.0)
    assert traffic.sockets.seen == before, "something moved during the pause"
    with environment.engine.begin() as connection:
        pauses.resume(connection, PauseKind.QUEUE, "sends", actor=A_COMMAND)
    await_progress(traffic, seconds=30)


def _kill(environment: FaultEnvironment) -> None:
    for name in KILLED:
        environment.stack.relaunch(name)


def _has_settled(environment: FaultEnvironment, sender: _Sender, receiver: int) -> bool:
    arrived = environment.query(_ARRIVED, receiver=receiver, ids=list(sender.ids))
    return bool(arrived == len(sender.ids) and not environment.query(_OPEN))
