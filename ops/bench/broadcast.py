"""`make bench-broadcast`: two lanes against one hand-written statement, and who else notices.

The floor is one INSERT … SELECT that writes the same deliveries and moves the same counters of another
app's conversations, and does nothing else: no chunks, no events, nothing to resume. Ours are the real
worker processes of the stack, from the accept to DONE. Rounds alternate: the first makes everyone's
conversation, later ones change it. Meanwhile one person after the other sends a message, and its event on
the bus is waited for, as when nothing else goes on.
"""

import statistics
import threading
from collections.abc import Sequence

import click
import psycopg

from ops.bench.bench_environment import (
    OUT,
    BenchEnvironment,
    open_bench_environment,
    percentile,
    print_table,
    start_stopwatch,
)
from ops.bench.broadcast_watch import Observations, watch_meanwhile
from ops.bench.history import make_history
from ops.bench.people import make_people
from ops.bench.sends import accept_send, make_broadcast, make_message_between
from ops.cli.terminal.progress import count_bar
from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.postgres.broadcasts import reports
from storage.postgres.sends import backlog
from storage.settings import load

OURS, FLOORS = 7, 8

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


def run_floor_round(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    """Run the bare statement once; returns its seconds."""
    watch = start_stopwatch()
    connection.execute(FLOOR, {"app": FLOORS})
    return watch.seconds


def warm_up(environment: BenchEnvironment, doorbell: Doorbell, *, people: int) -> None:
    """Wait until the workers have delivered some messages. Raises RuntimeError after two minutes."""
    ids = [
        accept_send(environment, doorbell, make_message_between(number, people=people))
        for number in range(50)
    ]
    if not wait_until(
        lambda: not environment.database.transaction(backlog.find_waiting, ids), seconds=120
    ):
        raise RuntimeError("the workers do not work")


def run_our_round(
    environment: BenchEnvironment, doorbell: Doorbell
) -> tuple[float, BroadcastReport]:
    """Send a broadcast and wait for its end; returns the seconds from its accept, and its last report."""
    watch = start_stopwatch()
    id = accept_send(environment, doorbell, make_broadcast(OURS))
    found: list[BroadcastReport] = []
    with count_bar("broadcast") as bar:

        def is_done() -> bool:
            report = environment.database.transaction(reports.find_report, id, app_id=OURS)
            if report is None:
                return False
            found[:] = [report]
            threading.Event().wait(0.1)
            bar(report.status, report.expanded, report.total, report.rate_per_second)
            return report.status in (BroadcastStatus.DONE, BroadcastStatus.FAILED)

        if not wait_until(is_done, seconds=600):
            raise RuntimeError("not done after 600 s")
    return watch.seconds, found[0]


@click.command()
@click.option("--people", default=1_000_000, show_default=True)
@click.option("--history", default=0, show_default=True, help="Older deliveries.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--chunk-size", default=0, help="CARILLON_CHUNK_SIZE; the default if 0.")
def main(*, people: int, history: int, rounds: int, chunk_size: int) -> None:
    """Measure and print."""
    settings = {"CARILLON_CHUNK_SIZE": str(chunk_size)} if chunk_size else {}
    with open_bench_environment(**settings) as environment:
        url = environment.driver_url
        OUT.print(f"making {people:,} people")
        make_people(environment.database, people)
        if history:
            make_history(url, people=people, deliveries=history)
        with (
            psycopg.connect(url, autocommit=True) as connection,
            environment.run_processes("worker-sends", "worker-broadcasts", "worker-upkeep", "beat"),
        ):
            connection.execute("VACUUM ANALYZE")
            measure_rounds(environment, connection, url=url, people=people, rounds=rounds)


def measure_rounds(
    environment: BenchEnvironment,
    connection: psycopg.Connection[tuple[object, ...]],
    *,
    url: str,
    people: int,
    rounds: int,
) -> None:
    """Run the floor and ours in turns, and print the figures."""
    doorbell = Doorbell(load(QueueSettings, environment.environ))
    warm_up(environment, doorbell, people=people)
    with watch_meanwhile(environment, url, doorbell=doorbell, people=people) as idle:
        threading.Event().wait(8)
    floors, ours, seen = [], [], []
    for number in range(1, rounds + 1):
        connection.execute("CHECKPOINT")
        floors.append(run_floor_round(connection))
        connection.execute("CHECKPOINT")
        with watch_meanwhile(environment, url, doorbell=doorbell, people=people) as busy:
            seconds, report = run_our_round(environment, doorbell)
        ours.append(seconds)
        seen.append(busy)
        OUT.print(
            f"round {number}: floor {floors[-1]:.2f} s, ours {seconds:.2f} s,"
            f" {report.expanded:,} of {report.total:,}, {report.status}"
        )
    doorbell.close()
    print_report(idle, seen, people=people, floors=floors, ours=ours)


def print_report(
    idle: Observations,
    seen: Sequence[Observations],
    *,
    people: int,
    floors: list[float],
    ours: list[float],
) -> None:
    """Print ratios, the longest transaction, memory, and what a person noticed."""
    ratio = statistics.median(o / f for o, f in zip(ours, floors, strict=True))
    waits = [seconds for one in seen for seconds in one.person_seconds]
    quiet, busy = percentile(idle.person_seconds, 0.99), percentile(waits, 0.99)
    longest = max(one.longest_seconds for one in seen)
    memory = max(one.largest_bytes for one in seen) / 2**20
    floor, our = statistics.median(floors), statistics.median(ours)
    print_table(
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
