"""One person asks for long lists all the time; the others notice nothing."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine, text

from tests import services
from tests.builders import add_people
from tests.services import bearer

PEOPLE = 300_000
CONNECTIONS = 24
# Nearly everybody has a 1 in a mobile; nobody has a q: the one is counted long, the other sought in vain.
LISTS = (
    "/api/v1/users/?keyword=1&skip=200000",
    "/api/v1/users/?keyword=1&skip=99980",
    "/api/v1/users/?keyword=q",
    "/api/v1/users/search?q=q",
)
# A person waits no longer; before, what did not get a connection in 0.2 s was 503.
IN_TIME_SECONDS = 3.0
_CROWD = text("""
INSERT INTO users (id, mobile, name, english_name)
SELECT n, (13000000000 + n)::text, '人' || n, 'person' || n FROM generate_series(10, :count) n
""")


def test_nobody_waits_behind_one_persons_lists(
    database_url: str, valkey_url: str, engine: Engine
) -> None:
    """While one person asks for long lists on 24 connections, others' sends, reads and probes are 200, and in time."""
    with engine.begin() as connection:
        add_people(connection, [1, 2, 3])
        connection.execute(_CROWD, {"count": PEOPLE})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE users"))
    with (
        services.web(database_url=database_url, valkey_url=valkey_url) as (url, environ),
        ask_for_lists(url, bearer(environ, 1)) as answers,
        httpx.Client(base_url=url, headers=bearer(environ, 2), timeout=20) as other,
    ):
        seen = [ask(other) for _ in range(4) for ask in (send, read, find, ready)]
    assert {status for status, _ in seen} == {200}
    assert max(seconds for _, seconds in seen) < IN_TIME_SECONDS
    assert set(answers) <= {200, 422, 429}
    assert answers[429] and answers[422] and answers[200]


def read_outcome(answer: httpx.Response) -> tuple[int, float]:
    """The status of an answer, and the seconds until it came."""
    return answer.status_code, answer.elapsed.total_seconds()


def send(client: httpx.Client) -> tuple[int, float]:
    """Send a message to person 3."""
    body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 3}
    return read_outcome(client.post("/api/v1/messages/", json=body))


def read(client: httpx.Client) -> tuple[int, float]:
    """Read the conversation list."""
    return read_outcome(client.get("/api/v1/messages/conversations"))


def find(client: httpx.Client) -> tuple[int, float]:
    """Search people as another person: one caller may have one of the connections for lists, not all."""
    return read_outcome(client.get("/api/v1/users/search", params={"q": "人"}))


def ready(client: httpx.Client) -> tuple[int, float]:
    """Ask whether the server is ready."""
    return read_outcome(client.get("/readyz"))


@contextmanager
def ask_for_lists(url: str, headers: Mapping[str, str]) -> Iterator[Counter[int]]:
    """Ask for lists on many connections until the end of the block, and count the answers by status."""
    answers: Counter[int] = Counter()
    enough = threading.Event()
    threads = [
        threading.Thread(target=hammer, args=(url, headers, LISTS[n % len(LISTS)], answers, enough))
        for n in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        enough.set()
        for thread in threads:
            thread.join(30)


def hammer(
    url: str,
    headers: Mapping[str, str],
    path: str,
    answers: Counter[int],
    enough: threading.Event,
) -> None:
    """Ask for `path` on one connection, over and over, until there is `enough`; count the answers by status."""
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    while not enough.is_set():
        client.request("GET", path, headers=dict(headers))
        answer = client.getresponse()
        answer.read()
        answers[answer.status] += 1
        # What is refused at once must not make a test of how fast this process can ask.
        enough.wait(0.02)
    client.close()
