"""`make bench-broadcast`: two lanes against one hand-written statement, and who else notices.

The floor is one INSERT … SELECT that writes the same deliveries and moves the same counters of another
app's conversations, and does nothing else: no chunks, no events, nothing to resume. Ours are the real
worker processes of the stack, from the accept to DONE. Rounds alternate: the first makes everyone's
conversation, later ones change it. Meanwhile one person after the other sends a message, and its event on
the bus is waited for, as when nothing else goes on.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import click
import psutil
import psycopg

from ops.bench.bench_environment import OUT, Ground, ground, percentile, show, timed
from ops.bench.history import make_history
from ops.bench.people import make_people
from ops.cli.terminal.progress import count_bar
from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings
from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.model.event import NewMessage
from storage.model.message import ContentType, MessageType
from storage.model.send import Accepted, Send
from storage.postgres.broadcasts import reports
from storage.postgres.sends import backlog, intake
from storage.postgres.sends.intake import IntakeItem
from storage.settings import ValkeySettings, load
from storage.valkey.bus_reader import BusReader, Position
from storage.valkey.bus_streams import STREAMS

OURS, FLOORS = 7, 8
PERSON_EVERY_SECONDS = 0.05

FLOOR = """
WITH message AS (
  INSERT INTO messages (id, app_id, sent_by_app_id, type, content_type, title, content, is_broadcast)
  VALUES (next_message_id(), %(app)s, %(app)s, 'NOTIFICATION', 'TEXT', '通知', '全员通知', true)
  RETURNING id, created_at
), people AS (
  SELECT users.id AS user_id, message.id, message.created_at FROM users, message
   WHERE users.status = 'ACTIVE' AND NOT users.is_deleted
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id) SELECT user_id, -%(app)s, id FROM people
)
INSERT INTO conversations AS c (user_id, peer_id, unread_count, last_message_id, updated_at)
SELECT user_id, -%(app)s, 1, id, created_at FROM people
ON CONFLICT (user_id, peer_id) DO UPDATE
   SET unread_count = c.unread_count + 1,
       last_message_id = greatest(c.last_message_id, excluded.last_message_id),
       updated_at = greatest(c.updated_at, excluded.updated_at)
"""
LONGEST = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
  FROM pg_stat_activity
 WHERE application_name = 'carillon worker' AND state <> 'idle' AND xact_start IS NOT NULL
"""


def floor_round(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    """Seconds of the bare statement."""
    watch = timed()
    connection.execute(FLOOR, {"app": FLOORS})
    return watch.seconds


def send(place: Ground, doorbell: Doorbell, what: Send) -> int:
    """Accept as ingest does; the message's id."""
    [answer] = place.database.transaction(intake.accept, [IntakeItem(what)])
    if not isinstance(answer, Accepted):
        raise answer
    doorbell.ring(SENDS)
    return answer.id


def a_broadcast() -> Send:
    """To everyone."""
    return Send(
        sender_id=None,
        receiver_id=None,
        app_id=OURS,
        app_name="bench",
        sent_by_app_id=OURS,
        type=MessageType.NOTIFICATION,
        content_type=ContentType.TEXT,
        title="通知",
        content="全员通知",
        is_broadcast=True,
    )


def a_message(number: int, *, people: int) -> Send:
    """From somebody to somebody."""
    sender = number * 7919 % people + 1
    return Send(
        sender_id=sender,
        receiver_id=sender % people + 1,
        app_id=None,
        app_name=None,
        sent_by_app_id=None,
        type=MessageType.MESSAGE,
        content_type=ContentType.TEXT,
        title="私信",
        content="你好",
    )


def warm_up(place: Ground, doorbell: Doorbell, *, people: int) -> None:
    """Wait until the workers are there: they have delivered something."""
    ids = [send(place, doorbell, a_message(number, people=people)) for number in range(50)]
    if not wait_until(
        lambda: not place.database.transaction(backlog.find_waiting, ids), seconds=120
    ):
        raise RuntimeError("the workers do not work")


def our_round(place: Ground, doorbell: Doorbell) -> tuple[float, BroadcastReport]:
    """Seconds from the accept of a broadcast to DONE, and its last report."""
    watch = timed()
    id = send(place, doorbell, a_broadcast())
    found: list[BroadcastReport] = []
    with count_bar("broadcast") as bar:

        def is_done() -> bool:
            report = place.database.transaction(reports.find_report, id, app_id=OURS)
            if report is None:
                return False
            found[:] = [report]
            threading.Event().wait(0.1)
            bar(report.status, report.expanded, report.total, report.rate_per_second)
            return report.status in (BroadcastStatus.DONE, BroadcastStatus.FAILED)

        if not wait_until(is_done, seconds=600):
            raise RuntimeError("not done after 600 s")
    return watch.seconds, found[0]


@dataclass
class Watched:
    """What was seen while something ran."""

    longest_seconds: float = 0.0
    largest_bytes: int = 0
    person_seconds: list[float] = field(default_factory=list)


@contextmanager
def watching(place: Ground, url: str, *, doorbell: Doorbell, people: int) -> Iterator[Watched]:
    """People send meanwhile; transactions and memory of the workers are looked at."""
    seen = Watched()
    end = threading.Event()
    jobs = [
        threading.Thread(target=_watch_workers, args=(place, url, seen, end)),
        threading.Thread(target=_people, args=(place, doorbell, people, seen, end)),
    ]
    for job in jobs:
        job.start()
    try:
        yield seen
    finally:
        end.set()
        for job in jobs:
            job.join()


def _watch_workers(place: Ground, url: str, seen: Watched, end: threading.Event) -> None:
    folder = place.environ["CARILLON_DATA_DIR"]
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


def _people(
    place: Ground, doorbell: Doorbell, people: int, seen: Watched, end: threading.Event
) -> None:
    """Send now and then; from the accept to the event on the bus."""
    asyncio.run(_send_and_listen(place, doorbell, people, seen=seen, end=end))


async def _send_and_listen(
    place: Ground, doorbell: Doorbell, people: int, *, seen: Watched, end: threading.Event
) -> None:
    reader = BusReader(load(ValkeySettings, place.environ))
    await reader.connect()
    began: dict[int, float] = {}
    arrived: dict[int, float] = {}
    over = asyncio.Event()  # the client library may swallow a cancel
    listening = asyncio.create_task(_listen(reader, arrived, over=over))
    number = int(time.time())
    while not end.is_set():
        start = time.perf_counter()
        number += 1
        id = await asyncio.to_thread(send, place, doorbell, a_message(number, people=people))
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


@click.command()
@click.option("--people", default=1_000_000, show_default=True)
@click.option("--history", default=0, show_default=True, help="Older deliveries.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--chunk-size", default=0, help="CARILLON_CHUNK_SIZE; the default if 0.")
def main(*, people: int, history: int, rounds: int, chunk_size: int) -> None:
    """Measure and print."""
    settings = {"CARILLON_CHUNK_SIZE": str(chunk_size)} if chunk_size else {}
    with ground(**settings) as place:
        url = place.driver_url
        OUT.print(f"making {people:,} people")
        make_people(place.database, people)
        if history:
            make_history(url, people=people, deliveries=history)
        with (
            psycopg.connect(url, autocommit=True) as connection,
            place.running("worker-sends", "worker-broadcasts", "worker-upkeep", "beat"),
        ):
            connection.execute("VACUUM ANALYZE")
            measure(place, connection, url=url, people=people, rounds=rounds)


def measure(
    place: Ground,
    connection: psycopg.Connection[tuple[object, ...]],
    *,
    url: str,
    people: int,
    rounds: int,
) -> None:
    """Alternate the floor and ours, and print what came of it."""
    doorbell = Doorbell(load(QueueSettings, place.environ))
    warm_up(place, doorbell, people=people)
    with watching(place, url, doorbell=doorbell, people=people) as idle:
        threading.Event().wait(8)
    floors, ours, seen = [], [], []
    for number in range(1, rounds + 1):
        connection.execute("CHECKPOINT")
        floors.append(floor_round(connection))
        connection.execute("CHECKPOINT")
        with watching(place, url, doorbell=doorbell, people=people) as busy:
            seconds, report = our_round(place, doorbell)
        ours.append(seconds)
        seen.append(busy)
        OUT.print(
            f"round {number}: floor {floors[-1]:.2f} s, ours {seconds:.2f} s,"
            f" {report.expanded:,} of {report.total:,}, {report.status}"
        )
    doorbell.close()
    print_table(idle, seen, people=people, floors=floors, ours=ours)


def print_table(
    idle: Watched, seen: Sequence[Watched], *, people: int, floors: list[float], ours: list[float]
) -> None:
    """Ratios, longest transaction, memory, and what a person noticed."""
    ratio = statistics.median(o / f for o, f in zip(ours, floors, strict=True))
    waits = [seconds for one in seen for seconds in one.person_seconds]
    quiet, busy = percentile(idle.person_seconds, 0.99), percentile(waits, 0.99)
    longest = max(one.longest_seconds for one in seen)
    memory = max(one.largest_bytes for one in seen) / 2**20
    floor, our = statistics.median(floors), statistics.median(ours)
    show(
        f"broadcast to {people:,} people, median of {len(ours)}",
        ("", "measured", "ratio", "to reach"),
        [
            ("one statement", f"{floor:.2f} s, {people / floor:,.0f}/s", "1.00", ""),
            ("two lanes", f"{our:.2f} s, {people / our:,.0f}/s", f"{ratio:.2f}", "1.2 at most"),
            ("longest transaction", f"{longest * 1000:.0f} ms", "", "500 ms at most"),
            ("largest worker", f"{memory:.0f} MiB", "", "flat"),
            ("a person's message, idle p99", f"{quiet * 1000:.1f} ms", "1.00", ""),
            (
                "the same during it",
                f"{busy * 1000:.1f} ms (p50 {percentile(waits, 0.5) * 1000:.1f})",
                f"{busy / quiet:.2f}",
                "3 at most",
            ),
        ],
    )


if __name__ == "__main__":
    main()
