"""The bus: readers get what is published, in order, once for each shard, and notice what is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from ops.local.embedded.valkey import EmbeddedValkey
from storage.model.errors import TransientError
from storage.model.event import (
    NewMessage,
)
from storage.model.message import ContentType, Message, MessageType
from storage.settings import ValkeySettings
from storage.valkey.bus import AsyncBus, Bus
from storage.valkey.bus_reader import BEGINNING, Batch, BusReader, Position
from storage.valkey.bus_streams import STREAMS, BusSettings
from storage.valkey.event_json import SHARDS, shard_of

FROM_START = [BEGINNING] * SHARDS
NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)


def a_message(number: int, *user_ids: int) -> NewMessage:
    """A notification to these people."""
    message = Message(
        number, None, None, 7, "OA", 7, MessageType.NOTIFICATION, ContentType.TEXT, "t", "c", None, None, False, NOW
    )  # fmt: skip
    return NewMessage(message, "c", ((-7, user_ids),))


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A Valkey of this module alone: it is wiped and restarted."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(valkey: EmbeddedValkey) -> ValkeySettings:
    """How to reach an empty Valkey."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return ValkeySettings(valkey.url, timedelta(seconds=1))


@pytest.fixture
def bus(settings: ValkeySettings) -> Iterator[Bus]:
    """The workers' end."""
    publisher = Bus(BusSettings(), settings)
    yield publisher
    publisher.close()


def length(settings: ValkeySettings) -> int:
    """Entries on all shards together."""
    with redis.Redis.from_url(settings.url) as control:
        return sum(int(control.xlen(stream)) for stream in STREAMS)


def read_bus(settings: ValkeySettings, story: Callable[[BusReader], Awaitable[None]]) -> None:
    """Run one story with a connected reader."""

    async def run() -> None:
        reader = BusReader(settings)
        try:
            await reader.connect()
            await story(reader)
        finally:
            await reader.close()

    asyncio.run(run())


def keys(batch: Batch, shard: int) -> list[str]:
    """The names of a shard's events, in order."""
    return [entry.event.key for entry in batch.entries if entry.shard == shard and entry.event]


def test_what_is_published_is_read_in_order_on_every_shard(
    bus: Bus, settings: ValkeySettings
) -> None:
    """A reader finds every event once on each shard that has recipients, in publishing order."""
    bus.publish([a_message(number, 1, 2, 17) for number in range(5)])
    assert length(settings) == 10

    async def story(reader: BusReader) -> None:
        batch = await reader.survey(FROM_START, limit=100)
        expected = [f"n{number}.0" for number in range(5)]
        assert keys(batch, 1) == keys(batch, 2) == expected
        assert {entry.shard for entry in batch.entries} == {1, 2}

    read_bus(settings, story)


def test_a_reader_waits_for_the_next_event_and_gets_it_once(
    bus: Bus, settings: ValkeySettings
) -> None:
    """A read that finds nothing waits; what comes then is returned, and not again after it."""

    async def story(reader: BusReader) -> None:
        waiting = asyncio.create_task(reader.read(FROM_START, limit=9, wait=timedelta(seconds=9)))
        await asyncio.to_thread(bus.publish, [a_message(1, 5)])
        batch = await waiting
        assert keys(batch, 5) == ["n1.0"]
        after = list(FROM_START)
        after[5] = batch.entries[-1].position
        again = await reader.read(after, limit=9, wait=timedelta(milliseconds=10))
        assert again.entries == []

    read_bus(settings, story)


def test_a_reader_is_stopped_at_whatever_moment(bus: Bus, settings: ValkeySettings) -> None:
    """One cancellation ends a loop of reads, also in the moment in which a question has been written."""
    bus.publish([a_message(1, 0)])

    async def story(reader: BusReader) -> None:
        async def read_on() -> None:
            while True:
                await reader.read(FROM_START, limit=1, wait=timedelta(seconds=1))

        for turns in range(60):
            await reader.connect()
            task = asyncio.create_task(read_on())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done, f"reads on, cancelled after {turns} turns of the loop"

    read_bus(settings, story)


def test_a_read_takes_no_more_than_its_limit(bus: Bus, settings: ValkeySettings) -> None:
    """A read takes at most `limit` entries from each shard."""
    bus.publish([a_message(number, 1, 2) for number in range(5)])

    async def story(reader: BusReader) -> None:
        batch = await reader.read(FROM_START, limit=3, wait=timedelta(seconds=1))
        assert len(keys(batch, 1)) == len(keys(batch, 2)) == 3

    read_bus(settings, story)


def test_a_survey_counts_what_was_dropped(bus: Bus, settings: ValkeySettings) -> None:
    """`added` and `dropped` of a shard tell a reader exactly how many entries it will never see."""
    bus.publish([a_message(number, 3) for number in range(10)])

    async def story(reader: BusReader) -> None:
        with redis.Redis.from_url(settings.url) as control:
            control.xtrim(STREAMS[3], maxlen=4, approximate=False)
        batch = await reader.survey(FROM_START, limit=100)
        assert batch.surveys is not None
        survey = batch.surveys[3]
        assert (survey.added, survey.dropped) == (10, 6)
        assert survey.last == batch.entries[-1].position
        assert batch.surveys[4].added == 0
        assert keys(batch, 3) == [f"n{number}.0" for number in range(6, 10)]

    read_bus(settings, story)


def test_a_shard_keeps_no_more_than_its_length(settings: ValkeySettings) -> None:
    """With CARILLON_BUS_LENGTH at 100, a shard holds the latest hundreds, whatever is published."""
    bus = Bus(BusSettings(length=100), settings)
    bus.publish([a_message(number, 1) for number in range(5000)])
    assert 100 <= length(settings) <= 300
    bus.close()


def test_what_is_old_is_trimmed_by_valkeys_own_clock(settings: ValkeySettings) -> None:
    """Old entries go when their shard is written to, by Valkey's clock and not the publisher's."""
    bus = Bus(BusSettings(kept=timedelta(minutes=5)), settings)
    with redis.Redis.from_url(settings.url) as control:
        for number in range(1, 301):
            control.xadd(STREAMS[1], {"e": b"old"}, id=f"{number}-0")
    bus.publish([a_message(1, 1)])  # learns the clock
    bus.publish([a_message(2, 1)])
    assert length(settings) < 150  # whole nodes of the stream go, of up to 100 entries
    bus.close()


def test_a_wipe_is_a_new_generation(bus: Bus, settings: ValkeySettings) -> None:
    """After FLUSHALL every reader sees another generation, the same one for all."""

    async def story(reader: BusReader) -> None:
        wait = timedelta(milliseconds=10)
        before = await reader.read(FROM_START, limit=9, wait=wait)
        assert (await reader.read(FROM_START, limit=9, wait=wait)).generation == before.generation
        with redis.Redis.from_url(settings.url) as control:
            control.flushall()
        after = await reader.read(FROM_START, limit=9, wait=wait)
        assert after.generation != before.generation
        other = BusReader(settings)
        await other.connect()
        assert (await other.survey(FROM_START, limit=9)).generation == after.generation
        await other.close()

    read_bus(settings, story)


def test_a_restart_is_a_new_generation_even_if_all_data_came_back(
    valkey: EmbeddedValkey, bus: Bus, settings: ValkeySettings
) -> None:
    """A restarted Valkey may have lost its last second: readers are told, though streams are there."""
    bus.publish([a_message(1, 1)])

    async def story(reader: BusReader) -> None:
        before = await reader.survey(FROM_START, limit=9)
        valkey.stop()
        valkey.start()
        with pytest.raises(TransientError):
            await reader.survey(FROM_START, limit=9)
        await reader.connect()
        after = await reader.survey(FROM_START, limit=9)
        assert keys(after, 1) == ["n1.0"]
        assert after.generation != before.generation

    read_bus(settings, story)


def test_a_cut_connection_is_told_and_costs_nothing(bus: Bus, settings: ValkeySettings) -> None:
    """CLIENT KILL raises TransientError, never a silent reconnect; after `connect` the same generation."""

    async def story(reader: BusReader) -> None:
        before = await reader.survey(FROM_START, limit=9)
        with redis.Redis.from_url(settings.url) as control:
            control.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(TransientError):
            await reader.read(FROM_START, limit=9, wait=timedelta(seconds=1))
        bus.publish([a_message(1, 1)])
        await reader.connect()
        after = await reader.survey(FROM_START, limit=9)
        assert (after.generation, keys(after, 1)) == (before.generation, ["n1.0"])

    read_bus(settings, story)


def test_a_frozen_valkey_is_try_later_and_costs_nothing(
    bus: Bus, valkey: EmbeddedValkey, settings: ValkeySettings
) -> None:
    """A read that gets no answer raises TransientError in time; after `connect` the next one works."""
    hasty = ValkeySettings(settings.url, timeout=timedelta(seconds=0.2))

    async def story(reader: BusReader) -> None:
        before = await reader.read(FROM_START, limit=10, wait=timedelta(seconds=0.1))
        valkey.freeze()
        try:
            for ask in (reader.read(FROM_START, limit=10, wait=timedelta()), reader.connect()):
                with pytest.raises(TransientError):
                    await ask
        finally:
            valkey.thaw()
        bus.publish([a_message(1, 7)])
        await reader.connect()
        after = await reader.read(FROM_START, limit=10, wait=timedelta(seconds=1))
        assert after.generation == before.generation
        assert keys(after, shard_of(7)) == [a_message(1, 7).key]

    read_bus(hasty, story)


def test_who_is_disabled_is_known_until_enabled_again(bus: Bus, settings: ValkeySettings) -> None:
    """`disable` marks a person and tells the gateways; `enable` takes the mark away."""

    async def disabled() -> frozenset[int]:
        asker = AsyncBus(BusSettings(), settings)
        try:
            return await asker.find_disabled([1, 2, 3])
        finally:
            await asker.close()

    bus.disable(2, at_ms=5)
    assert asyncio.run(disabled()) == {2}
    bus.enable(2)
    assert asyncio.run(disabled()) == set()

    async def story(reader: BusReader) -> None:
        assert keys(await reader.survey(FROM_START, limit=9), 2) == ["d2.5"]

    read_bus(settings, story)


def test_publishing_nothing_asks_nobody() -> None:
    """Publishing no events, or events for nobody, works without Valkey."""
    bus = Bus(BusSettings(), ValkeySettings("redis://127.0.0.1:1"))
    bus.publish([])
    bus.publish([a_message(1)])


def test_positions_compare_as_streams_do() -> None:
    """Positions compare by time and then by number, and not as text."""
    assert Position(9, 10) < Position(10, 0) < Position(10, 2) < Position(10, 10)
    assert str(Position(10, 2)) == "10-2"


def test_a_restored_record_begins_another_life_of_the_bus(
    bus: Bus, settings: ValkeySettings
) -> None:
    """After a restore nothing of before is on the bus, its generation is another one, and tickets are worth nothing."""

    async def story(reader: BusReader) -> None:
        bus.publish([a_message(1, 1)])
        before = await reader.survey(FROM_START, limit=10)
        assert len(before.entries) == 1
        with redis.Redis.from_url(settings.url) as client:
            client.set("carillon:ticket:socket:x", "7")
            client.set("somebody:else", "1")
            bus.begin_anew()
            after = await reader.survey(FROM_START, limit=10)
            assert after.entries == []
            assert after.generation != before.generation
            assert not client.exists("carillon:ticket:socket:x")
            assert client.exists("somebody:else")

    read_bus(settings, story)
