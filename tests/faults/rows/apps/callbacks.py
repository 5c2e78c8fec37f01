"""Rows 53 to 55: what happens while apps are called at their endpoints."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ops.local.child import list_family
from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.model.app_event import AppEventType
from storage.postgres.app_events import callbacks
from storage.postgres.app_events.callback_secrets import rotate_callback_secret
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import load
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import p99
from tests.storage.postgres.app_events.steps import write
from tests.workers.callbacks.business_app import BusinessApp, run_app
from tests.workers.callbacks.endpoints import accept_and_hang, answer, answer_for_ever, serve

WORKER = "worker-callbacks"
# Of an event, in the record: its number within the app, its name, and its mark.
Event = tuple[int, str, int]


@dataclass
class Told:
    """An app that asks for events, and what its endpoint was told of them."""

    app_id: int
    endpoint: BusinessApp
    told_at: list[float] = field(default_factory=list)

    def count_told(self) -> int:
        """How many different events it was told of."""
        return len({id for id, _ in self.endpoint.told})


class EventTraffic:
    """Apps in the record, events that are written for them while it is open, and the judgement of what they were told."""

    def __init__(self, environment: FaultEnvironment) -> None:
        self._environment = environment
        self._opened = ExitStack()
        self._vault = Vault(load(VaultSettings, environment.stack.environ))
        self._over = threading.Event()
        self._marks = 0
        self.apps: list[Told] = []
        self.written_at: dict[int, float] = {}
        self._writer = threading.Thread(target=self._write, name="events")

    def __enter__(self) -> "EventTraffic":
        for _ in range(3):
            endpoint = self._opened.enter_context(run_app())
            app = Told(self.add_app(endpoint.url, endpoint), endpoint)
            endpoint.on_call = lambda app=app: app.told_at.append(time.monotonic())  # type: ignore[misc]
            self.apps.append(app)
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._writer.join()
        self.is_settled = wait_until(self._has_settled, seconds=120)
        self._opened.close()

    def add_app(self, url: str, endpoint: BusinessApp | None = None) -> int:
        """An app whose endpoint is at `url`; its integer id."""
        self._environment.app_number += 1
        name = f"told_{self._environment.seed}_{self._environment.app_number}"
        new = NewApp(name, name, "https://told.example.com/", ())
        with self._environment.engine.begin() as connection:
            app, _ = apps.add(connection, new, vault=self._vault)
            callbacks.set_callback(connection, app.id, url=url, events=tuple(AppEventType))
            secret = rotate_callback_secret(connection, app.id, vault=self._vault)
        if endpoint is not None:
            endpoint.secrets.append(secret)
        return app.id

    def _write(self) -> None:
        """Write an event of an app again and again; what fails was rolled back, or its answer was lost: the record knows."""
        while not self._over.wait(0.02):
            self._marks += 1
            app = self.apps[self._marks % len(self.apps)]
            with suppress(DBAPIError), self._environment.engine.begin() as connection:
                write(connection, self._marks, app_id=app.app_id)
                self.written_at[self._marks] = time.monotonic()

    def _has_settled(self) -> bool:
        return all(
            app.count_told() == len(self._list_events(app)) and self._is_all_numbered(app)
            for app in self.apps
        )

    def _is_all_numbered(self, app: Told) -> bool:
        asked = text("SELECT NOT EXISTS (SELECT FROM app_events WHERE app_id = :app_id AND seq IS NULL)")  # fmt: skip
        return bool(self._ask(asked, app))

    def _list_events(self, app: Told) -> list[Event]:
        asked = text("""
        SELECT coalesce(array_agg(ARRAY[seq::text, 'evt_' || replace(webhook_id::text, '-', ''), data->>'mark'] ORDER BY seq), '{}')
          FROM app_events WHERE app_id = :app_id""")
        rows: list[list[str]] = self._ask(asked, app)  # type: ignore[assignment]
        return [(int(seq or 0), id, int(mark)) for seq, id, mark in rows]

    def _ask(self, question: object, app: Told) -> object:
        with self._environment.engine.connect() as connection:
            return connection.execute(question, {"app_id": app.app_id}).scalar_one()  # type: ignore[call-overload]

    def await_progress(self, *, seconds: float = 60.0) -> float:
        """Wait until every app is told something new; how long that took."""
        began = time.monotonic()
        before = [len(app.endpoint.told) for app in self.apps]
        moved = wait_until(
            lambda: all(
                len(app.endpoint.told) > n for app, n in zip(self.apps, before, strict=True)
            ),
            seconds=seconds,
        )
        assert moved, "apps are not told anything more"
        return time.monotonic() - began

    def collect_findings(self, **figures: object) -> Findings:
        """Each event was told at least once, under one name, and the first time in the order of the numbers."""
        calls = sum(len(app.endpoint.told) for app in self.apps)
        events = sum(app.count_told() for app in self.apps)
        found = Findings({"accepted": events, "told again": calls - events, **figures})
        found.must(self.is_settled, "every event is told in the end")
        for app in self.apps:
            recorded = self._list_events(app)
            firsts = dict.fromkeys(
                (body["seq"], id, body["data"]["mark"]) for id, body in app.endpoint.told
            )
            found.must(list(firsts) == recorded, "each once under its name, in order, and no other")
            found.must(bool(recorded), "there were events")
        return found

    def measure_seconds(self) -> list[float]:
        """The seconds from each event's commit, about, to its first call."""
        firsts: dict[int, float] = {}
        for app in self.apps:
            for at, (_, body) in zip(app.told_at, app.endpoint.told, strict=False):
                firsts.setdefault(body["data"]["mark"], at)
        return [
            at - self.written_at[mark] for mark, at in firsts.items() if mark in self.written_at
        ]


def kill_between_call_and_mark(environment: FaultEnvironment) -> Findings:
    """53: the callbacks worker is killed while an endpoint has an event and nothing is marked: it is told again, by the same name."""
    rounds = environment.scale(short=1, full=6)
    with EventTraffic(environment) as traffic:
        for number in range(rounds):
            traffic.await_progress()
            victim = traffic.apps[number % len(traffic.apps)]
            killed = threading.Event()
            with on_next_call(victim.endpoint, lambda k=killed: kill_worker(environment, k)):  # type: ignore[misc]
                assert killed.wait(60), "no call came"
            environment.stack.relaunch(WORKER)
        traffic.await_progress()
    found = traffic.collect_findings(kills=rounds)
    found.must(int(found.figures["told again"]) >= rounds, "what was in hand is told again")
    return found


def kill_worker(environment: FaultEnvironment, killed: threading.Event) -> None:
    """Kill the worker and its pool, before the endpoint that calls this has answered."""
    pid = environment.stack.processes[WORKER].pid
    assert pid is not None
    for process in list_family(pid):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    killed.set()


@contextmanager
def on_next_call(endpoint: BusinessApp, act: Callable[[], None]) -> Iterator[None]:
    """Have `act` done at the endpoint's next call, before it is answered."""
    before = endpoint.on_call

    def act_once() -> None:
        endpoint.on_call = before
        before()
        act()

    endpoint.on_call = act_once
    try:
        yield
    finally:
        endpoint.on_call = before


def restart_servers(environment: FaultEnvironment) -> Findings:
    """54: PostgreSQL and Valkey are killed and started while apps are called: they are told the rest when both are back."""
    rounds, slowest = environment.scale(short=1, full=4), 0.0
    with EventTraffic(environment) as traffic:
        for _ in range(rounds):
            for name in ("postgres", "valkey"):
                traffic.await_progress()
                environment.stack[name].kill()
                environment.pause(0.2, 2.0)
                environment.stack.servers[name].start()
                slowest = max(slowest, traffic.await_progress())
    found = traffic.collect_findings(kills=2 * rounds, resumed_s=round(slowest, 1))
    # A call whose mark was lost with PostgreSQL is made again when its lease has ended.
    found.must(slowest <= environment.relax(30), "work resumes within 30 s")
    return found


def call_dead_endpoints(environment: FaultEnvironment) -> Findings:
    """55: a hundred endpoints that hang, trickle, lie, redirect or are not there delay no other."""
    number = environment.scale(short=40, full=200)
    with ExitStack() as opened, EventTraffic(environment) as traffic:
        ports = [
            opened.enter_context(serve(behave))
            for behave in (
                accept_and_hang,
                answer_for_ever(b"H", pause=0.1),
                answer(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a"] * 1000, pause=0.1),
                answer(b"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n"),
                answer(b"nonsense"),
            )
        ]
        for index in range(number):
            scheme = "https" if index % 7 == 0 else "http"
            dead = traffic.add_app(f"{scheme}://127.0.0.1:{[*ports, 1][index % 6]}/")
            add_events(environment.engine, dead)
        environment.pause(float(environment.scale(short=6, full=40)))
        traffic.await_progress()
    found = traffic.collect_findings(dead=number)
    slowest = p99(traffic.measure_seconds())
    found.figures["p99 s"] = round(slowest, 2)
    found.must(slowest < environment.relax(3), "healthy apps are told within 3 s")
    return found


def add_events(engine: Engine, app_id: int) -> None:
    """Some events of an app, in one transaction."""
    with engine.begin() as connection:
        for mark in range(3):
            write(connection, mark, app_id=app_id)
