"""A flood of long messages into a small Valkey costs the flooder's own replay, and nobody else anything."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis

from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.journey.client import Client
from tests.services import Stack

MEMORY = 12 << 20
LONG = "长" * 20_000  # 60,000 bytes
ROUNDS, A_ROUND = 14, 40  # 34 MB for one person
FLOODED, SENDER, READER = 16, 3, 4


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack with a Valkey of 12 MB."""
    with services.stack(CARILLON_VALKEY_MAX_MEMORY=f"{MEMORY}") as running:
        yield running


@pytest.fixture(scope="module")
def secret(stack: Stack) -> str:
    """The secret of the app `flooder`, and three people."""
    engine = make_blocking_engine(load(DatabaseSettings, stack.environ), application_name="hostile")
    with engine.begin() as connection:
        add_people(connection, (FLOODED, SENDER, READER))
        new = NewApp("flooder", "洪水", "https://flooder.example.com/callback", ())
        vault = Vault(load(VaultSettings, stack.environ))
        _, secret = apps.add(connection, new, vault=vault)
    engine.dispose()
    return secret


def flood(client: Client, secret: str) -> None:
    """Send one person a round of long notifications."""
    entry = {"type": "NOTIFICATION", "title": "t", "content": LONG, "receiver_id": FLOODED}
    answer = client.app("flooder", secret).post(
        "/messages/batch", json={"messages": [entry] * A_ROUND}
    )
    assert {one["status"] for one in answer.json()["results"]} == {200}


def test_a_flood_of_long_messages_stops_nobody(stack: Stack, secret: str) -> None:
    """While one person is sent three times what Valkey holds, another's messages are pushed at once.

    Tickets are issued, /readyz says 200, and in the end Valkey has room.
    """
    delays: list[float] = []
    with Client(stack) as client, client.socket(READER) as socket:
        sender, anyone = client.user(SENDER), client.user(READER)
        for number in range(ROUNDS):
            flood(client, secret)
            began = time.monotonic()
            message = {
                "type": "MESSAGE",
                "title": "t",
                "content": f"{number}",
                "receiver_id": READER,
            }
            assert sender.post("/messages/", json=message).status_code == 200
            assert socket.next_message()["content"] == f"{number}"
            delays.append(time.monotonic() - began)
            assert anyone.post("/ws/tickets").status_code == 200
        assert wait_until(lambda: sender.get(f"{stack.url}/readyz").status_code == 200, seconds=10)
        history = client.user(FLOODED).get("/messages/history/-1?limit=1").json()
        assert wait_until(lambda: has_room(stack), seconds=10)
    assert sorted(delays)[ROUNDS // 2] < 2
    assert len(history) == 1


def has_room(stack: Stack) -> bool:
    """Whether a fifth of Valkey's memory is free."""
    with redis.Redis.from_url(stack.environ["CARILLON_VALKEY_URL"]) as client:
        return int(client.info("memory")["used_memory"]) < 0.8 * MEMORY


def test_a_bus_that_an_earlier_flood_filled_heals_by_itself(stack: Stack, secret: str) -> None:
    """A Valkey that is full of events, and into which nobody writes, takes writes again within seconds."""
    with (
        redis.Redis.from_url(stack.environ["CARILLON_VALKEY_URL"]) as valkey,
        Client(stack) as client,
    ):
        stack["web"].freeze()  # what would heal it must not do so before it is full
        stack["worker-upkeep"].freeze()
        with suppress(redis.ResponseError):
            while True:
                valkey.xadd("carillon:bus:0", {"e": "x" * 60_000})
        stack["web"].thaw()
        stack["worker-upkeep"].thaw()
        assert wait_until(lambda: has_room(stack), seconds=10)
        assert client.user(READER).post("/ws/tickets").status_code == 200
