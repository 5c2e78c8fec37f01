"""The bus stays within its age, length and bytes, and gives way when Valkey's memory is short."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import redis

from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from storage.model.errors import TransientError
from storage.model.event import NewMessage
from storage.model.message import ContentType, Message, MessageType
from storage.settings import ValkeySettings
from storage.valkey.bus import AsyncBus, Bus
from storage.valkey.bus_reader import BEGINNING, Batch, BusReader
from storage.valkey.bus_streams import PART_BYTES, STREAMS, USE, BusSettings, BusUsage
from storage.valkey.event_json import SHARDS
from storage.valkey.tickets import Tickets, TicketSettings

MEMORY = 12 * 1024 * 1024
FROM_START = [BEGINNING] * SHARDS
LONG = 60_000


@pytest.fixture(scope="module", params=["valkey", "redis"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a small server of this module alone: Valkey, and Redis where it is installed."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "valkey":
        embedded = EmbeddedValkey(folder, max_memory=f"{MEMORY}")
        embedded.start()
        yield embedded.url
        embedded.stop()
        return
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    yield from redis_server(binary, folder)


def redis_server(binary: str, folder: Path) -> Iterator[str]:
    """A running redis-server."""
    port = find_free_port()
    # All addresses could be taken by a connection that uses the port on another one.
    options = ["--bind", "127.0.0.1", "--port", f"{port}", "--dir", f"{folder}"]
    options += ["--maxmemory", f"{MEMORY}", "--save", ""]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([binary, *options], stdout=output, stderr=output)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:
            assert wait_until(lambda: answers(client), seconds=10), log.read_text()
        yield url
    finally:
        process.kill()
        process.wait()


def answers(client: redis.Redis) -> bool:
    """Whether a server is there."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture
def settings(server: str) -> ValkeySettings:
    """How to reach an empty server."""
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return ValkeySettings(server, timedelta(seconds=5))


@pytest.fixture
def control(settings: ValkeySettings) -> Iterator[redis.Redis]:
    """A plain client, to do damage with."""
    with redis.Redis.from_url(settings.url) as client:
        yield client


@pytest.fixture
def bus(settings: ValkeySettings) -> Iterator[Bus]:
    """A publisher with the default settings."""
    publisher = Bus(BusSettings(), settings)
    yield publisher
    publisher.close()


def a_message(number: int, *user_ids: int, size: int = 1) -> NewMessage:
    """A notification of `size` bytes to these people."""
    message = Message(
        number, None, None, 7, "OA", 7, MessageType.NOTIFICATION, ContentType.TEXT, "t", "x" * size, None, None, False,
        datetime(2026, 3, 18, 10, tzinfo=UTC),
    )  # fmt: skip
    return NewMessage(message, message.content, ((-7, user_ids),))


def until_refused(write: Callable[[], object]) -> None:
    """Repeat a write until the server is full."""
    with suppress(redis.ResponseError):
        for _ in range(MEMORY):
            write()
        raise AssertionError("never full")


def fill(control: redis.Redis) -> None:
    """Use up the memory with streams, as publishers of the version before did, until nothing is taken."""
    for size in (LONG, 1_000, 1):
        until_refused(partial(control.xadd, STREAMS[5], {"e": b"x" * size}))
    # A command counts with its own length: a short one may still be taken where a longer one was not.
    until_refused(partial(control.append, "ring", "x"))


def stuff(control: redis.Redis) -> None:
    """Use up the memory with a key that is not the bus's."""
    for size in (100_000, 1_000, 1):
        until_refused(partial(control.append, "ballast", "x" * size))


def trim_a_second_later(bus: Bus, control: redis.Redis) -> BusUsage:
    """Trim as a gateway does a second after the last time."""
    control.delete(USE)
    return bus.trim()


def read(settings: ValkeySettings) -> Batch:
    """Everything that a new reader finds."""

    async def survey() -> Batch:
        reader = BusReader(settings)
        try:
            await reader.connect()
            return await reader.survey(FROM_START, limit=1000)
        finally:
            await reader.close()

    return asyncio.run(survey())


def test_a_full_bus_is_trimmed_though_nobody_writes(bus: Bus, control: redis.Redis) -> None:
    """Trimming alone brings a Valkey that the bus has filled back below its limit."""
    fill(control)
    use = trim_a_second_later(bus, control)
    assert use.limit_bytes == MEMORY
    assert 0 < use.bytes <= MEMORY / 2
    control.set("ring", "x" * 100)


def test_a_full_bus_takes_what_is_new_instead_of_what_is_old(
    bus: Bus, control: redis.Redis, settings: ValkeySettings
) -> None:
    """In a full Valkey events are published and read, and there is room for others again."""
    fill(control)
    bus.publish([a_message(1, 5)])
    control.set("ring", "x" * 100)
    found = read(settings)
    assert found.entries[-1].event == a_message(1, 5)
    assert found.surveys is not None
    assert found.surveys[5].dropped > 0  # a reader learns that it cannot replay all


def test_a_flood_of_long_messages_leaves_room_for_everybody_else(
    settings: ValkeySettings, bus: Bus, control: redis.Redis
) -> None:
    """While one person gets four times what Valkey holds, rings and tickets are taken after every publish."""
    tickets = 0
    for number in range(4 * MEMORY // LONG // 10):
        bus.publish([a_message(10 * number + one, 5, size=LONG) for one in range(10)])
        try:
            control.set(f"ticket:{number}", "x", ex=60)
            tickets += 1
        except redis.ResponseError:
            trim_a_second_later(bus, control)
    assert tickets >= 4 * MEMORY // LONG // 10 - 10
    bus.publish([a_message(10**6, 6)])
    assert read(settings).entries[-1].event == a_message(10**6, 6)
    asyncio.run(a_ticket(settings))


async def a_ticket(settings: ValkeySettings) -> None:
    """Issue one, which a full Valkey refuses."""
    tickets = Tickets(settings, TicketSettings())
    try:
        await tickets.issue_socket(1, expires_at=datetime.now(UTC) + timedelta(minutes=1))
    finally:
        await tickets.close()


def test_what_others_need_is_more_than_what_the_bus_keeps(
    bus: Bus, control: redis.Redis, settings: ValkeySettings
) -> None:
    """When other keys fill Valkey the bus shrinks to nearly nothing, and what is new still passes and is read."""
    bus.publish([a_message(number, 3, size=LONG) for number in range(20)])
    stuff(control)
    assert trim_a_second_later(bus, control).bytes < 200_000
    stuff(control)
    control.delete("carillon:bus:birth")
    bus.publish([a_message(99, 3)])
    assert read(settings).entries[-1].event == a_message(99, 3)


def test_a_full_valkey_is_seen_by_the_probe(control: redis.Redis, settings: ValkeySettings) -> None:
    """`probe` raises TransientError while Valkey refuses writes, as /readyz must know."""

    async def probe() -> None:
        asker = AsyncBus(BusSettings(), settings)
        try:
            await asker.probe()
        finally:
            await asker.close()

    asyncio.run(probe())
    fill(control)
    with pytest.raises(TransientError):
        asyncio.run(probe())


def test_a_shard_keeps_no_more_than_its_bytes(
    settings: ValkeySettings, control: redis.Redis
) -> None:
    """However long the events, a shard ends at its bytes, and holds the newest."""
    bounds = BusSettings(shard_bytes=1 << 20)
    bus = Bus(bounds, settings)
    for number in range(0, 600, 10):
        size = 100 if number < 300 else 20_000
        bus.publish([a_message(number + one, 5, size=size) for one in range(10)])
        used = control.memory_usage(STREAMS[5], samples=0)
        assert used is not None
        assert used < 1.75 * bounds.shard_bytes
    assert trim_a_second_later(bus, control).bytes <= bounds.shard_bytes + SHARDS * 1024
    assert read(settings).entries[-1].event == a_message(599, 5, size=20_000)
    bus.close()


def test_what_is_old_goes_though_nobody_writes(bus: Bus, control: redis.Redis) -> None:
    """Trimming goes by age, judged by Valkey's own clock, on shards that are not written to any more."""
    for number in range(1, 301):
        control.xadd(STREAMS[1], {"e": b"old"}, id=f"{number}-0")
    bus.publish([a_message(1, 2)])
    assert trim_a_second_later(bus, control).entries == 1


def test_trimming_within_a_second_of_another_does_nothing(bus: Bus, control: redis.Redis) -> None:
    """However many gateways trim, the streams are looked at once a second."""
    first = bus.trim()
    control.xadd(STREAMS[1], {"e": b"x"})
    assert bus.trim() == first
    assert trim_a_second_later(bus, control).entries == first.entries + 1


def test_a_publish_that_takes_several_commands_keeps_its_order(
    bus: Bus, settings: ValkeySettings
) -> None:
    """Events of more than PART_BYTES arrive in the order of their publish, on every shard."""
    count = 2 * PART_BYTES // LONG + 5
    bus.publish([a_message(number, 3, 4, size=LONG) for number in range(count)])
    entries = read(settings).entries
    for shard in (3, 4):
        numbers = [one.event.key for one in entries if one.shard == shard and one.event is not None]
        assert numbers == [f"n{number}.0" for number in range(count)]


def find_refused_share(bus: Bus, control: redis.Redis, messages: list[NewMessage]) -> float:
    """The share of others' writes that Valkey refuses while these messages are published."""
    taken = refused = 0
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(bus.publish, messages)
        while wait([publishing], timeout=0).not_done:
            try:
                control.set("ticket", "x", ex=60)
                taken += 1
            except redis.ResponseError:
                refused += 1
        publishing.result()
    return refused / max(1, taken + refused)


def test_a_publish_of_more_than_valkey_holds_leaves_room_for_others(
    bus: Bus, control: redis.Redis, settings: ValkeySettings
) -> None:
    """Hardly a write of others is refused while it arrives, in parts: a command counts among Valkey's memory."""
    count = 4 * MEMORY // LONG
    messages = [a_message(number, 3, size=LONG) for number in range(count)]
    # The lowest of five: what else the machine does makes publishing slower, and so only adds refusals.
    assert min(find_refused_share(bus, control, messages) for _ in range(5)) < 1 / 20
    keys = [one.event.key for one in read(settings).entries if one.event is not None]
    assert keys == [f"n{number}.0" for number in range(count - len(keys), count)]
    assert len(keys) * LONG > MEMORY / 8
