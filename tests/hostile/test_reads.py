"""One person reads on as many connections as they can open; the others notice nothing."""

import threading
from collections import Counter

import httpx
from sqlalchemy import Engine, text

from tests import services
from tests.builders import add_people
from tests.hostile.test_long_lists import hammer, ready, send
from tests.services import bearer

CONNECTIONS = 40
CONVERSATIONS = 20_000
# What each costs PostgreSQL some 10 ms of: a list of a thousand conversations, a sum over all of them.
READS = ("/api/v1/messages/conversations", "/api/v1/messages/unread-count")
_CONVERSATIONS = text("""
INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)
SELECT 1, n, 0, 1, now() FROM generate_series(10, :count) n
""")


def test_nobody_waits_behind_one_persons_reads(
    database_url: str, valkey_url: str, engine: Engine
) -> None:
    """While one person reads without a pause on 40 connections, others' reads and sends are all 200 (contract §0)."""
    with engine.begin() as connection:
        add_people(connection, [1, 2, 3])
        connection.execute(_CONVERSATIONS, {"count": CONVERSATIONS})
    answers: Counter[int] = Counter()
    enough = threading.Event()
    with (
        services.web(database_url=database_url, valkey_url=valkey_url) as (url, environ),
        httpx.Client(base_url=url, headers=bearer(environ, 2), timeout=20) as other,
    ):
        threads = [
            threading.Thread(
                target=hammer,
                args=(url, bearer(environ, 1), READS[n % len(READS)], answers, enough),
            )
            for n in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        try:
            seen = [ask(other)[0] for _ in range(25) for ask in (count, send, ready)]
        finally:
            enough.set()
            for thread in threads:
                thread.join(30)
    assert Counter(seen) == Counter({200: len(seen)})
    assert set(answers) <= {200, 429}
    assert answers[200] and answers[429]


def count(client: httpx.Client) -> tuple[int, float]:
    """Read the number of unread messages."""
    answer = client.get("/api/v1/messages/unread-count")
    return answer.status_code, answer.elapsed.total_seconds()
