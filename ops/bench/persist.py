"""`make bench-persist`: one worker's persist lane against the same statement in a bare loop.

The floor puts messages, both deliveries and counters in from prepared columns, 500 at a time, and does
nothing else. Ours claims, persists, publishes on the real bus and lets go. Rounds alternate. At the end:
what a row of each table takes on disk, with its indexes.
"""

import statistics
from typing import Any

import click
import psycopg

from ops.bench.bench_environment import (
    OUT,
    BenchEnvironment,
    open_bench_environment,
    print_table,
    start_stopwatch,
)
from ops.bench.sends import make_message
from storage.postgres.sends import intake
from storage.postgres.sends.intake import IntakeItem
from workers import persist
from workers.services import Services, open_services

BATCH = 500
PEOPLE = 10_000
CONTENT = "你好,这是一条私信" * 5

FLOOR = """
WITH first AS MATERIALIZED (
  SELECT take_message_ids(cardinality(%(sender)s::bigint[]), 9007199254740991) AS id
), batch AS MATERIALIZED (
  SELECT first.id + 2 * (place - 1) AS id, clock_timestamp() AS created_at, u.*
    FROM unnest(%(sender)s::bigint[], %(receiver)s::bigint[], %(title)s::text[], %(content)s::text[])
         WITH ORDINALITY AS u(sender_id, receiver_id, title, content, place), first
), new_messages AS (
  INSERT INTO messages (id, sender_id, receiver_id, type, content_type, title, content, created_at)
  SELECT id, sender_id, receiver_id, 'MESSAGE', 'TEXT', title, content, created_at FROM batch
), copies AS (
  SELECT receiver_id AS user_id, sender_id AS peer_id, id, created_at, NULL::timestamptz AS read_at
    FROM batch
   UNION ALL
  SELECT sender_id, receiver_id, id, created_at, created_at FROM batch
), new_deliveries AS (
  INSERT INTO deliveries (user_id, peer_id, message_id, read_at)
  SELECT user_id, peer_id, id, read_at FROM copies
)
INSERT INTO conversations AS c (user_id, peer_id, unread_count, last_message_id, updated_at)
SELECT user_id, peer_id, count(*) FILTER (WHERE read_at IS NULL), max(id), max(created_at)
  FROM copies GROUP BY user_id, peer_id ORDER BY user_id, peer_id
ON CONFLICT (user_id, peer_id) DO UPDATE
   SET unread_count = c.unread_count + excluded.unread_count,
       last_message_id = greatest(c.last_message_id, excluded.last_message_id),
       updated_at = greatest(c.updated_at, excluded.updated_at)
"""


def choose_pair(number: int) -> tuple[int, int]:
    """Sender and receiver of the n-th message: spread over people, each pair again and again."""
    sender = number * 7919 % PEOPLE + 1
    return sender, (sender + number % 5 + 1) % PEOPLE + 1


def run_floor_round(connection: psycopg.Connection[Any], count: int) -> float:
    """Run the bare statement for `count` messages; returns messages a second."""
    batches = []
    for start in range(0, count, BATCH):
        senders, receivers = zip(*map(choose_pair, range(start, start + BATCH)), strict=True)
        batches.append(
            {
                "sender": list(senders),
                "receiver": list(receivers),
                "title": ["私信"] * BATCH,
                "content": [CONTENT] * BATCH,
            }
        )
    watch = start_stopwatch()
    for batch in batches:
        connection.execute(FLOOR, batch)
    return count / watch.seconds


def accept_messages(environment: BenchEnvironment, count: int) -> None:
    """Accept `count` messages, BATCH at a time."""
    for start in range(0, count, BATCH):
        requests = [
            IntakeItem(make_message(*choose_pair(n), content=CONTENT))
            for n in range(start, start + BATCH)
        ]
        environment.database.transaction(intake.accept, requests)


def run_our_round(environment: BenchEnvironment, services: Services, count: int) -> float:
    """Persist `count` messages with everything the lane does; returns messages a second."""
    accept_messages(environment, count)
    watch = start_stopwatch()
    done = 0
    while done < count:
        done += persist.drain(services)
    return count / watch.seconds


_SIZES = """
SELECT (SELECT coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size('{table}'))
          FROM pg_partition_tree('{table}')),
       (SELECT count(*) FROM {table})
"""


def measure_row_bytes(connection: psycopg.Connection[Any], table: str) -> float:
    """The bytes that a row of `table` takes on disk, indexes included. The table must not be empty."""
    query = _SIZES.format(table=table)
    [(size, rows)] = connection.execute(query).fetchall()  # type: ignore[call-overload,unused-ignore]
    return float(size) / float(rows)


@click.command()
@click.option("--messages", default=50_000, show_default=True, help="A round.")
@click.option("--rounds", default=3, show_default=True)
def main(*, messages: int, rounds: int) -> None:
    """Measure and print."""
    count = messages // BATCH * BATCH
    with open_bench_environment() as environment:
        services = open_services(environment.environ)
        url = environment.driver_url
        floors, ours = [], []
        with psycopg.connect(url, autocommit=True) as connection:
            run_floor_round(connection, BATCH * 4)
            run_our_round(environment, services, BATCH * 4)
            for number in range(1, rounds + 1):
                floors.append(run_floor_round(connection, count))
                ours.append(run_our_round(environment, services, count))
                OUT.print(f"round {number}: floor {floors[-1]:,.0f}/s, ours {ours[-1]:,.0f}/s")
            sizes = [
                (table, f"{measure_row_bytes(connection, table):,.0f}")
                for table in ("messages", "deliveries", "conversations")
            ]
        floor, our = statistics.median(floors), statistics.median(ours)
    print_table(
        f"persist, {count:,} messages a round, median of {rounds}",
        ("", "messages/s", "ratio", "to reach"),
        [
            ("bare statement", f"{floor:,.0f}", "1.00", ""),
            ("persist lane", f"{our:,.0f}", f"{our / floor:.2f}", "0.50 and 20,000/s"),
        ],
    )
    print_table("on disk, with indexes", ("", "bytes a row"), sizes)


if __name__ == "__main__":
    main()
