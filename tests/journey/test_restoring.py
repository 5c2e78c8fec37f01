"""A stack that was backed up while people wrote, and destroyed, is restored: what is there then, and what clients notice."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text
from websockets.sync.client import connect

from ops.local.polling import wait_until
from ops.local.stack import keep_secrets
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.counters import find_drift
from tests.faults.ledger import Ledger, Sent
from tests.faults.load import Load, Plan
from tests.journey.client import Client
from tests.ops.cli.command import begin, finish
from tests.services import SECRETS, Stack

PEOPLE = (1, 2, 3, 4)
DUE = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)

pytestmark = pytest.mark.timeout(500)


@dataclass(frozen=True)
class Lost:
    """What is known of the stack that was destroyed: its sends, a place in a socket's frames, a scheduled send's id."""

    ledger: Ledger
    before: dict[int, Sent]
    """What was answered before the backup began, by number."""
    after: dict[int, Sent]
    """What was begun after the backup had ended."""
    position: str
    scheduled_id: int


@contextmanager
def run_stack(folder: Path) -> Iterator[tuple[Stack, Engine]]:
    """A running stack on a data folder, and connections to its record; killed at the end."""
    stack = Stack(folder)
    try:
        stack.start()
        settings = load(DatabaseSettings, {"CARILLON_DATABASE_URL": stack.database_url})
        engine = make_blocking_engine(settings, application_name="tests")
        yield stack, engine
        engine.dispose()
    finally:
        stack.kill()


def live_and_back_up(folder: Path, file: Path, passphrase: Path) -> Lost:
    """Run a stack, back it up while people write, let them go on, and kill it."""
    with run_stack(folder) as (stack, engine), Client(stack) as client:
        with engine.begin() as connection:
            add_people(connection, PEOPLE)
        (folder / "media" / "user").mkdir(parents=True)
        (folder / "media" / "user" / "one.png").write_bytes(b"png" * 1_000)
        own = {name: value for name, value in stack.environ.items() if name.startswith("CARILLON_")}
        plan = Plan(PEOPLE, client.token, per_second=100)
        with client.socket(1) as socket, Load(stack.url, plan, run="load", seed=1) as running:
            ledger = running.ledger
            assert wait_until(lambda: ledger.accepted > 100, seconds=60)
            began = time.monotonic()
            finish(begin("backup", file, "--passphrase-file", passphrase, **own))
            ended, many = time.monotonic(), ledger.accepted + 100
            assert wait_until(lambda: ledger.accepted > many, seconds=60)
            position = socket.next()["pos"]
        scheduled_id = schedule(client)
    sent = [one for one in ledger.sent if one.is_accepted]
    before = {one.number: one for one in sent if one.ended_at < began}
    after = {one.number: one for one in sent if one.began_at > ended}
    assert len(before) > 50
    assert len(after) > 50
    return Lost(ledger, before, after, position, scheduled_id)


def schedule(client: Client) -> int:
    """Send something that is due tomorrow; returns its id."""
    body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
    answer = client.user(1).post("/messages/", json=body | {"send_at": DUE.isoformat()})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def test_a_destroyed_stack_comes_back_as_it_was(tmp_path: Path) -> None:
    """What was answered before the backup is there once, nothing of later is, and nothing is given out twice."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n")
    with services.folder() as place:
        folder, file = place / "data", place / "one.carillon"
        lost = live_and_back_up(folder, file, passphrase)
        shutil.rmtree(folder)
        words = ("restore", file, "--passphrase-file", passphrase)
        assert "4 people" in finish(begin(*words, CARILLON_DATA_DIR=str(folder)))
        kept = keep_secrets(folder)
        assert {name: kept[name] for name in SECRETS} == SECRETS
        assert (folder / "media" / "user" / "one.png").read_bytes() == b"png" * 1_000
        with run_stack(folder) as (stack, engine), Client(stack) as client:
            check_record(engine, lost)
            check_clients(client, lost)
            examined = begin("doctor", "--json", "--gateway", stack.url, **stack.environ)
            findings = json.loads(examined.communicate(timeout=60)[0])
            failing = {one["name"]: one["text"] for one in findings if one["level"] == "FAIL"}
            # The servers of tests do not wait for the disk, and doctor says so.
            assert set(failing) == {"database"}, failing


_HISTORIES = text("SELECT content, count(*) FROM messages GROUP BY content")
_ODD_COPIES = text("""
SELECT count(*) FROM messages m
 WHERE (SELECT count(*) FROM deliveries d WHERE d.message_id = m.id) <> 2
""")
_WAITING = text("SELECT count(*) FROM accepted WHERE NOT is_scheduled")


def check_record(engine: Engine, lost: Lost) -> None:
    """All of before the backup is in both histories, once, and nothing of after it; counters are right."""

    def ask(question: Any) -> Any:
        with engine.begin() as connection:
            return connection.execute(question).all()

    assert wait_until(lambda: ask(_WAITING)[0][0] == 0, seconds=60)
    found = dict(ask(_HISTORIES))
    assert set(found.values()) == {1}
    assert {lost.ledger.content(number) for number in lost.before} <= set(found)
    assert not {lost.ledger.content(number) for number in lost.after} & set(found)
    assert ask(_ODD_COPIES)[0][0] == 0
    with engine.begin() as connection:
        assert find_drift(connection) == []


def check_clients(client: Client, lost: Lost) -> None:
    """A repeated request is a new send, ids are new ones, and a client that resumes is told RESYNC."""
    one = lost.after[max(lost.after)]
    body = {"type": "MESSAGE", "title": "私信", "content": lost.ledger.content(one.number)}
    headers = {"Idempotency-Key": one.key, "Prefer": "wait=10"}
    repeated = client.user(one.sender_id).post(
        "/messages/", json=body | {"receiver_id": one.receiver_id}, headers=headers
    )
    assert repeated.status_code == 200, repeated.text
    assert "Idempotency-Replay" not in repeated.headers
    assert repeated.json()["id"] > max(id for sent in lost.ledger.sent for id in sent.ids)
    assert schedule(client) != lost.scheduled_id
    url = f"{client.stack.socket_url}?token={client.token(1)}&since={quote(lost.position)}"
    with connect(url) as socket:
        assert wait_until(lambda: '"RESYNC"' in str(socket.recv(timeout=20)), seconds=20)
