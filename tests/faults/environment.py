"""What a row of the fault matrix runs in: a durable stack, a seed, a scale; and traffic that the oracle judges."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests.builders import add_people
from tests.faults import oracle
from tests.faults.durable import DurableStack
from tests.faults.ledger import Ledger, p99
from tests.faults.load import Load, Plan
from tests.faults.oracle import Verdict
from tests.faults.sockets import Sockets
from tests.journey.client import Client
from tests.services import folder

_thousands = count(1)


@dataclass(slots=True)
class Findings:
    """What a row measured, and which of its claims were false."""

    figures: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def must(self, holds: bool, claim: str) -> None:
        """Note `claim` as false unless it holds."""
        if not holds:
            self.failures.append(f"not: {claim}")


class Traffic:
    """Runs load and sockets while it is open (`with`); at its end waits until everything has settled, and judges it."""

    def __init__(
        self, environment: "FaultEnvironment", load: Load, sockets: Sockets, *, settle: float
    ) -> None:
        self._environment = environment
        self._settle = settle
        self.load = load
        self.sockets = sockets
        self.people = list(load.people)
        self.drain_seconds = 0.0
        self.verdict: Verdict | None = None

    def __enter__(self) -> "Traffic":
        self.sockets.__enter__()
        self.load.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | object) -> None:
        self.load.__exit__()
        if kind is None:
            began = time.monotonic()
            wait_until(
                lambda: not self._environment.count_waiting(self.people), seconds=self._settle
            )
            self.drain_seconds = time.monotonic() - began
            wait_until(lambda: not self._judge().unseen, seconds=10)
        self.sockets.__exit__()
        self.verdict = self._judge()

    def _judge(self) -> Verdict:
        with self._environment.engine.connect() as connection:
            return oracle.judge(connection, self.ledger, people=self.people, sockets=self.sockets)

    @property
    def ledger(self) -> Ledger:
        """What the client remembers of its sends."""
        return self.load.ledger

    def measure_frame_seconds(self, *, since: float = 0.0) -> list[float]:
        """The seconds from each send to its first frame, of the sends that began after `since`.

        A send begins with its request; one that was retried, with the answer to its last attempt.
        """
        seen_at = self.sockets.seen_at
        return [
            max(0.0, seen_at[id] - (s.began_at if s.attempts == 1 else s.ended_at))
            for s in self.ledger.sent
            for id in s.ids
            if id in seen_at and s.began_at >= since
        ]

    def collect_findings(self, **figures: Any) -> Findings:
        """The oracle's verdict and the figures that every row has."""
        assert self.verdict is not None
        ledger = self.ledger
        common = {
            "accepted": ledger.accepted,
            "503": ledger.describe_refusals() or 0,
            "lost answers": ledger.count_answers(0),
            "accept p99 ms": round(ledger.p99_seconds() * 1000),
            "to frame p99 ms": round(p99(self.measure_frame_seconds()) * 1000),
            "drained s": round(self.drain_seconds, 1),
            "resyncs": sum(log.resyncs for log in self.sockets.logs),
        }
        failures = list(self.verdict.failures)
        failures += [] if ledger.accepted else ["nothing was accepted"]
        return Findings(common | figures, failures)


class FaultEnvironment:
    """A stack that faults happen to, the seed of all chance, and whether rows are short: a few seconds each."""

    def __init__(self, stack: DurableStack, *, seed: int, is_short: bool) -> None:
        self.stack = stack
        self.seed = seed
        self.is_short = is_short
        self.chance = random.Random(seed)
        self.app_number = 0
        self.client = Client(stack)
        settings = load(DatabaseSettings, {"CARILLON_DATABASE_URL": stack.database_url})
        self.engine: Engine = make_blocking_engine(settings, application_name="faults")

    def close(self) -> None:
        """Close the connections to the record."""
        self.engine.dispose()

    def scale(self, *, short: int, full: int) -> int:
        """The number for a row of this length."""
        return short if self.is_short else full

    def relax(self, seconds: float) -> float:
        """A limit of the matrix, in seconds; short rows, which share a busy machine, get four times as much."""
        return seconds * self.scale(short=4, full=1)

    def add_people(self, number: int) -> list[int]:
        """Add new people, whom no other row uses, and return their ids."""
        base = next(_thousands) * 1000 + 100_000_000
        ids = list(range(base, base + number))
        with self.engine.begin() as connection:
            add_people(connection, ids)
        return ids

    def make_traffic(
        self,
        *,
        settle: float = 60.0,
        url: str | None = None,
        people: int = 8,
        sockets: int | None = None,
        token: Callable[[int], str] | None = None,
        **plan: Any,
    ) -> Traffic:
        """Private messages among new people; the first `sockets` of them listen, or all if it is None."""
        ids = self.add_people(people)
        run = f"faults-{self.seed}-{ids[0]}"
        sends = Load(
            url or self.stack.url,
            Plan(ids, token or self.client.token, **plan),
            run=run,
            seed=self.seed,
        )
        listeners = Sockets(self.stack.url, ids[:sockets], token=token or self.client.token)
        return Traffic(self, sends, listeners, settle=settle)

    def count_waiting(self, people: list[int]) -> int:
        """How many sends of `people` are not in the histories, or not published, yet."""
        with self.engine.connect() as connection:
            return oracle.count_waiting(connection, people)

    def query(self, question: str, **parameters: Any) -> Any:
        """Run SQL, commit it, and return the first value of its answer; None if it answers nothing."""
        with self.engine.begin() as connection:
            return connection.execute(text(question), parameters).scalar()

    def execute(self, *statements: str) -> None:
        """Run statements as they stand, in one transaction, and commit it."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def pause(self, shortest: float, longest: float | None = None) -> None:
        """Let seconds pass: `shortest`, or as many up to `longest` as the seed chooses."""
        end = time.monotonic() + self.chance.uniform(shortest, longest or shortest)
        wait_until(lambda: time.monotonic() >= end, seconds=60)


# So that a poisoned send is put aside soon; with fewer attempts innocents would be put aside too.
SHORT_SETTINGS = {"CARILLON_MAX_ATTEMPTS": "4"}


@contextmanager
def start_environment(*, seed: int, is_short: bool, **settings: str) -> Iterator[FaultEnvironment]:
    """An environment with a new stack, which is killed at the end of the block."""
    with folder() as path:
        stack = DurableStack(path, **((SHORT_SETTINGS if is_short else {}) | settings))
        try:
            stack.start()
            made = FaultEnvironment(stack, seed=seed, is_short=is_short)
            yield made
            made.close()
        finally:
            stack.kill()
