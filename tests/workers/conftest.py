"""What tests of workers work with: services whose bus and doorbell remember, and a real worker."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from ops.local.child import Child
from ops.local.stack import prepare_environment, prepare_programs
from storage.broker.queues import QueueSettings, make_celery
from storage.model.errors import TransientError
from storage.model.event import Event, NewMessage
from storage.settings import load
from storage.valkey.bus_streams import BusUsage
from workers.services import Services, open_services


class ListeningBus:
    """A bus in memory: it keeps what is published, and can be away."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_away = False

    def publish(self, events: list[Event]) -> None:
        """Keep the events; raises TransientError while the bus is away."""
        if self.is_away:
            raise TransientError("away")
        self.events += events

    def trim(self) -> BusUsage:
        """Trim nothing; returns how many events were kept."""
        return BusUsage(len(self.events), bytes=0, used_bytes=0, limit_bytes=0)

    def has_disabled_marks(self) -> bool:
        """True: this bus was never wiped."""
        return True

    def count_disabled(self) -> int:
        """Zero: nobody is disabled."""
        return 0

    def ids(self) -> list[int]:
        """The ids of the messages that were published, in order."""
        return [event.message.id for event in self.events if isinstance(event, NewMessage)]


class CountingDoorbell:
    """A doorbell in memory: it keeps which queues were rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, queue: str) -> None:
        """Keep the name of the queue."""
        self.rung.append(queue)

    def lengths(self) -> dict[str, int]:
        """Empty: no queue holds a ring."""
        return {}


@pytest.fixture
def services(environ: Mapping[str, str]) -> Iterator[Services]:
    """The services of a worker, whose bus and doorbell can be looked into."""
    opened = open_services({**environ, "CARILLON_PUBLIC_URL": "http://127.0.0.1:8000"})
    bus: Any = ListeningBus()
    doorbell: Any = CountingDoorbell()
    yield replace(opened, bus=bus, doorbell=doorbell)
    opened.database.close()


@pytest.fixture
def worker(environ: Mapping[str, str], tmp_path: Path) -> Iterator[Child]:
    """A sends worker that may stall for two seconds."""
    given = prepare_environment({**environ, "CARILLON_WORKER_STALL_SECONDS": "2"})
    [program] = [one for one in prepare_programs(given) if one.name == "worker-sends"]
    child = Child(program)
    child.launch()
    yield child
    child.kill()


@pytest.fixture
def celery(environ: Mapping[str, str]) -> Iterator[Celery]:
    """A Celery app that reaches the worker's broker, to ask and control it."""
    app = make_celery(load(QueueSettings, environ))
    yield app
    app.close()
