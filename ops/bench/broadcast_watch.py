"""What is seen while a broadcast runs: its workers, and what a person notices who sends a message meanwhile."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psutil
import psycopg

from ops.bench.bench_environment import (
    BenchEnvironment,
)
from ops.bench.sends import accept_send, make_message_between
from storage.broker.doorbell import Doorbell
from storage.model.event import NewMessage
from storage.settings import ValkeySettings, load
from storage.valkey.bus_reader import BusReader, Position
from storage.valkey.bus_streams import STREAMS

PERSON_EVERY_SECONDS = 0.05

LONGEST = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
  FROM pg_stat_activity
 WHERE application_name = 'carillon worker' AND state <> 'idle' AND xact_start IS NOT NULL
"""


@dataclass
class Observations:
    """What was seen while something ran.

    The longest transaction of a worker, the most memory of one, and how long each person's message took to the bus.
    """

    longest_seconds: float = 0.0
    largest_bytes: int = 0
    person_seconds: list[float] = field(default_factory=list)


@contextmanager
def watch_meanwhile(
    environment: BenchEnvironment, url: str, *, doorbell: Doorbell, people: int
) -> Iterator[Observations]:
    """In this block people send messages, and transactions and memory of the workers are looked at.

    The observations are complete when the block has ended. `url` is for the bare driver.
    """
    seen = Observations()
    end = threading.Event()
    jobs = [
        threading.Thread(target=_watch_workers, args=(environment, url, seen, end)),
        threading.Thread(
            target=_send_now_and_then, args=(environment, doorbell, people, seen, end)
        ),
    ]
    for job in jobs:
        job.start()
    try:
        yield seen
    finally:
        end.set()
        for job in jobs:
            job.join()


def _watch_workers(
    environment: BenchEnvironment, url: str, seen: Observations, end: threading.Event
) -> None:
    folder = environment.environ["CARILLON_DATA_DIR"]
    workers = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "worker" in (process.info["cmdline"] or ())
        and (process.info["environ"] or {}).get("CARILLON_DATA_DIR") == folder
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        while not end.wait(0.05):
            row = connection.execute(LONGEST).fetchone()
            seen.longest_seconds = max(seen.longest_seconds, float(row[0]) if row else 0.0)
            largest = max((p.memory_info().rss for p in workers if p.is_running()), default=0)
            seen.largest_bytes = max(seen.largest_bytes, largest)


def _send_now_and_then(
    environment: BenchEnvironment,
    doorbell: Doorbell,
    people: int,
    seen: Observations,
    end: threading.Event,
) -> None:
    """Send a message every 50 ms until `end`, and note how long each took from the accept to its event on the bus."""
    asyncio.run(_send_and_listen(environment, doorbell, people, seen=seen, end=end))


async def _send_and_listen(
    environment: BenchEnvironment,
    doorbell: Doorbell,
    people: int,
    *,
    seen: Observations,
    end: threading.Event,
) -> None:
    reader = BusReader(load(ValkeySettings, environment.environ))
    await reader.connect()
    began: dict[int, float] = {}
    arrived: dict[int, float] = {}
    over = asyncio.Event()  # the client library may swallow a cancel
    listening = asyncio.create_task(_listen(reader, arrived, over=over))
    number = int(time.time())
    while not end.is_set():
        start = time.perf_counter()
        number += 1
        id = await asyncio.to_thread(
            accept_send, environment, doorbell, make_message_between(number, people=people)
        )
        began[id] = start
        await asyncio.sleep(PERSON_EVERY_SECONDS)
    for _ in range(100):
        if began.keys() <= arrived.keys():
            break
        await asyncio.sleep(0.05)
    over.set()
    await listening
    await reader.close()
    seen.person_seconds = [arrived.get(id, began[id] + 60) - began[id] for id in began]


async def _listen(reader: BusReader, arrived: dict[int, float], *, over: asyncio.Event) -> None:
    now = int(time.time() * 1000)
    positions = [Position(now, 0)] * len(STREAMS)
    while not over.is_set():
        batch = await reader.read(positions, limit=1000, wait=timedelta(seconds=0.5))
        for entry in batch.entries:
            positions[entry.shard] = entry.position
            if isinstance(entry.event, NewMessage):
                arrived.setdefault(entry.event.message.id, time.perf_counter())
