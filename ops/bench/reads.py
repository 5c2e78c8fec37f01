"""`make bench-reads`: what a client reads, against the bare SQL of the same rows.

The floor is one prepared statement that finds the same rows, by hand. Ours is the query of `storage` on one
connection, with everything it makes of the rows; and the whole way through one ingest process:
authenticate, query, render, HTTP. All take people at random from an organisation with a long past.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import click
import httpx
import psycopg

from ops.bench.accept import make_token
from ops.bench.bench_environment import (
    OUT,
    BenchEnvironment,
    open_bench_environment,
    percentile,
    print_table,
)
from ops.bench.history import make_history
from ops.bench.people import FAMILY, make_people
from storage.postgres.database import Session
from storage.postgres.messages import conversations, history
from storage.postgres.people import directory as people_of

WARM_UP = 50

HISTORY = """
SELECT m.* FROM deliveries d JOIN messages m ON m.id = d.message_id
 WHERE d.user_id = %s AND d.peer_id = -7 ORDER BY d.message_id DESC LIMIT 50
"""
CONVERSATIONS = """
SELECT c.*, a.name, m.content FROM conversations c
  LEFT JOIN apps a ON a.id = -c.peer_id LEFT JOIN messages m ON m.id = c.last_message_id
 WHERE c.user_id = %s ORDER BY c.updated_at DESC
"""
UNREAD = "SELECT sum(unread_count) FROM conversations WHERE user_id = %s"
# What one would write by hand without an index for it: LIKE over everyone, until the limit is reached.
SEARCH = """
SELECT id, mobile, name, english_name, status FROM users
 WHERE name LIKE '%%' || %s || '%%' AND status = 'ACTIVE' AND NOT is_deleted ORDER BY id LIMIT 20
"""
_APP = """
INSERT INTO apps (id, app_id, name, callback_url) VALUES (7, 'bench', 'OA系统', 'https://a.cn/cb')
"""


def measure_timings(
    *ways: Callable[[int], Any], count: int, people: int
) -> tuple[list[float], ...]:
    """Milliseconds of `count` calls of each way, each about a person at random, after some that warm up.

    In turns, so that what else the machine does meets all of them.
    """
    chance = random.Random(1)
    taken: tuple[list[float], ...] = tuple([] for _ in ways)
    for number in range(WARM_UP + count):
        person = chance.randrange(1, people + 1)
        for ask, ours in zip(ways, taken, strict=True):
            began = time.perf_counter()
            ask(person)
            if number >= WARM_UP:
                ours.append((time.perf_counter() - began) * 1000)
    return taken


def make_floor(
    connection: psycopg.Connection[Any], statement: str, value: Callable[[int], Any]
) -> Callable[[int], Any]:
    """A call that runs the bare statement for a person."""
    return lambda person: connection.execute(
        statement,  # type: ignore[call-overload,unused-ignore]
        (value(person),),
        prepare=True,
    ).fetchall()


def make_http_call(
    client: httpx.Client, environment: BenchEnvironment, path: Callable[[int], str]
) -> Callable[[int], Any]:
    """A call that reads `path` over HTTP as a person. Raises httpx.HTTPStatusError if it is refused."""

    def ask(person: int) -> None:
        headers = {"Authorization": f"Bearer {make_token(environment, person)}"}
        client.get(f"/api/v1{path(person)}", headers=headers).raise_for_status()

    return ask


def choose_character(person: int) -> str:
    """A Chinese character that some people have in their name, by the person who searches."""
    return FAMILY[person % len(FAMILY)]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that clients read: the bare statement and its parameter, our query, the path, and what is to be reached."""

    statement: str
    value: Callable[[int], Any]
    ours: Callable[[Session, int], Any]
    path: Callable[[int], str]
    reach: str


QUESTIONS = {
    "history page": Question(
        HISTORY,
        int,
        lambda session, person: session.query(history.list_history, person, peer_id=-7),
        lambda _: "/messages/history/-7",
        "ratio 2",
    ),
    "conversation list": Question(
        CONVERSATIONS,
        int,
        lambda session, person: session.query(conversations.list_conversations, person),
        lambda _: "/messages/conversations",
        "ratio 2",
    ),
    "unread count": Question(
        UNREAD,
        int,
        lambda session, person: session.query(conversations.count_unread, person),
        lambda _: "/messages/unread-count",
        "",
    ),
    "search of one character": Question(
        SEARCH,
        choose_character,
        lambda session, person: session.query(people_of.search, choose_character(person), limit=20),
        lambda person: f"/users/search?q={choose_character(person)}",
        "30 ms",
    ),
}


@click.command()
@click.option("--people", default=1_000_000, show_default=True)
@click.option("--history", default=25_000_000, show_default=True, help="Deliveries.")
@click.option("--count", default=2_000, show_default=True, help="Questions of each kind.")
def main(*, people: int, history: int, count: int) -> None:
    """Measure and print."""
    with open_bench_environment() as environment:
        url = environment.driver_url
        OUT.print(f"making {people:,} people")
        make_people(environment.database, people)
        make_history(url, people=people, deliveries=history)
        with psycopg.connect(url, autocommit=True) as connection, environment.run_processes("web"):
            connection.execute(_APP)
            with httpx.Client(base_url=environment.url, timeout=30, trust_env=False) as client:
                measure_reads(environment, connection, client=client, count=count, people=people)


def measure_reads(
    environment: BenchEnvironment,
    connection: psycopg.Connection[Any],
    *,
    client: httpx.Client,
    count: int,
    people: int,
) -> None:
    """Ask each question in all three ways, and print the figures."""
    rows = []
    with environment.database.session() as session:
        for name, one in QUESTIONS.items():
            bare, query, http = measure_timings(
                make_floor(connection, one.statement, one.value),
                partial(one.ours, session),
                make_http_call(client, environment, one.path),
                count=count,
                people=people,
            )
            rows.append(_make_row(name, bare, query, http=http, reach=one.reach))
    [echo] = measure_timings(lambda _: client.get("/healthz"), count=count, people=people)
    rows.append(("an answer with nothing in it", "", "", "", "", "", *_show_percentiles(echo), ""))
    header = (
        "",
        *("bare p50", "p99"),
        *("query p50", "p99"),
        "p99 ratio",
        "HTTP p50",
        "p99",
        "reach",
    )
    print_table(f"reads, {people:,} people, ms", header, rows)


def _show_percentiles(taken: list[float]) -> tuple[str, str]:
    return f"{percentile(taken, 0.5):.2f}", f"{percentile(taken, 0.99):.2f}"


def _make_row(
    name: str, bare: list[float], query: list[float], *, http: list[float], reach: str
) -> tuple[str, ...]:
    ratio = percentile(query, 0.99) / percentile(bare, 0.99)
    return (
        name,
        *_show_percentiles(bare),
        *_show_percentiles(query),
        f"{ratio:.2f}",
        *_show_percentiles(http),
        reach,
    )


if __name__ == "__main__":
    main()
