"""Rows 56 and 57: cards are changed while what tells of them, and the record, is killed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx

from ops.local.polling import wait_until
from tests.faults.business import Business, add_business, check_counters
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.rows.broadcasts import LANES
from tests.faults.rows.workers import SENDS
from tests.faults.sockets import Sockets

PEOPLE = 6
_STATES = ("PENDING", "DONE", "REJECTED", "PENDING", "CLOSED")
# Versions of a card that were not made once each, from the second to the newest.
_VERSIONS_AMISS = """
SELECT count(*) FROM messages m WHERE m.id = ANY(:ids) AND coalesce(m.version, 1) - 1 <>
 (SELECT count(DISTINCT version) FROM card_versions v
   WHERE v.message_id = m.id AND v.version BETWEEN 2 AND m.version)
"""
_TODOS_AMISS = """
SELECT count(*) FROM messages m JOIN deliveries d ON d.message_id = m.id
  LEFT JOIN todos t ON t.message_id = m.id AND t.user_id = d.user_id
 WHERE m.id = ANY(:ids) AND t.is_open IS DISTINCT FROM (m.state = 'PENDING')
"""


class Changer:
    """An app that gives its cards one form after another; a change without an answer is asked for again, with its key."""

    def __init__(self, environment: FaultEnvironment, sender: Business, ids: list[int]) -> None:
        self._environment = environment
        self._sender = sender
        self._over = threading.Event()
        self.promised = dict.fromkeys(ids, 1)
        self.refused: list[str] = []

    @contextmanager
    def run(self) -> Iterator[None]:
        """Change cards until the end of the block."""
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _go_on(self) -> None:
        number = 0
        ids = list(self.promised)
        while not self._over.is_set():
            id = ids[number % len(ids)]
            number += 1
            form = {"title": f"form {number}", "state": _STATES[number % len(_STATES)]}
            self._change(id, form)
            self._over.wait(0.02)

    def _change(self, id: int, form: dict[str, str]) -> None:
        key = str(uuid4())

        def is_made() -> bool:
            try:
                with self._sender.http() as http:
                    answer = http.patch(
                        f"/messages/{id}", json=form, headers={"Idempotency-Key": key}
                    )
            except httpx.TransportError:
                return False
            if answer.status_code == 200:
                self.promised[id] += 1
                if answer.json()["version"] != self.promised[id]:
                    self.refused.append(f"version {answer.json()['version']} of {id}")
                return True
            if answer.status_code != 503:
                self.refused.append(f"{answer.status_code} {answer.text[:80]}")
                return True
            return False

        if not wait_until(is_made, seconds=60):
            self.refused.append("no answer for a minute")


def kill_while_told(environment: FaultEnvironment) -> Findings:
    """56: the workers that tell of changes are killed, those of broadcasts and those of sends."""

    def kill() -> None:
        for name in (LANES, SENDS):
            environment.stack[name].kill()
        environment.pause(0.1, 0.4)
        environment.stack.start()

    return _change_during(environment, kill, times=environment.scale(short=2, full=10))


def restart_servers(environment: FaultEnvironment) -> Findings:
    """57: Valkey, PostgreSQL and the web process, with its gateway, are killed between changes and their telling."""

    def kill() -> None:
        for name in ("valkey", "postgres", "web"):
            environment.stack[name].kill()
            environment.pause(0.1, 0.4)
            environment.stack.start()
            environment.pause(0.2, 0.6)

    return _change_during(environment, kill, times=environment.scale(short=1, full=4))


def _change_during(
    environment: FaultEnvironment, kill: Callable[[], None], *, times: int
) -> Findings:
    people, sender = environment.add_people(PEOPLE), add_business(environment)
    with Sockets(environment.stack.url, people, token=environment.client.token) as sockets:
        ids = [sender.broadcast(state="PENDING"), *(_send(sender, person) for person in people)]
        changer = Changer(environment, sender, ids)
        with changer.run():
            for _ in range(times):
                environment.pause(0.3, 0.8)
                kill()
            environment.pause(0.5)
        is_shown = wait_until(
            lambda: not _find_older(changer, sockets), seconds=environment.relax(30)
        )
        wait_until(
            lambda: not environment.query(_TODOS_AMISS, ids=ids), seconds=environment.relax(10)
        )
    changes = sum(changer.promised.values()) - len(ids)
    found = Findings({"changes": changes, "resyncs": sum(log.resyncs for log in sockets.logs)})
    found.must(changes > 0, "cards were changed")
    found.must(not changer.refused, f"every change is made in the end ({changer.refused[:3]})")
    found.must(is_shown, f"the newest form is shown ({_find_older(changer, sockets)[:3]})")
    for id, version in changer.promised.items():
        kept = environment.query("SELECT coalesce(version, 1) FROM messages WHERE id = :id", id=id)
        found.must(kept == version, f"the record has what was promised ({kept}, not {version})")
    for claim, question in (
        ("each version was made once", _VERSIONS_AMISS),
        ("to-dos are open where the state is PENDING", _TODOS_AMISS),
    ):
        amiss = environment.query(question, ids=ids)
        found.must(not amiss, f"{claim} ({amiss} amiss)")
    for person in people:
        with environment.client.user(person) as client:
            count = client.get("/messages/unread-count").json()["todo"]
            listed = len(client.get("/messages/todo?state=PENDING&limit=100").json())
        found.must(count == listed, f"to-dos are counted as listed ({count}, {listed})")
    check_counters(found, environment)
    return found


def _send(sender: Business, person: int) -> int:
    body = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": person}
    with sender.http() as http:
        answer = http.post("/messages/", json=body | {"state": "PENDING", "ref": "matter"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def _find_older(changer: Changer, sockets: Sockets) -> list[str]:
    """Whose device ends with an older form of which card than was promised, or without it."""
    broadcast, *cards = changer.promised
    return [
        f"{log.user_id}: {log.versions.get(id)} of {id}, not {changer.promised[id]}"
        for log, card in zip(sockets.logs, cards, strict=True)
        for id in (broadcast, card)
        if log.versions.get(id) != changer.promised[id]
    ]
