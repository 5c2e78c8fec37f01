"""The event bus: what workers and commands publish, and whom gateways refuse because they are disabled.

Events go into Valkey streams, one a shard, and are kept for a few minutes (docs/decisions/0012-streams-as-bus.md).
Publishing is at least once: what raised TransientError may have been written all the same, so it is published again,
and readers skip events whose `key` they have seen. The reading end is `bus_reader.py`, the streams `bus_streams.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from storage.model.event import Disconnect, Event
from storage.settings import ValkeySettings
from storage.valkey.bus_reader import BIRTH
from storage.valkey.bus_streams import (
    STREAMS,
    USE,
    BusSettings,
    BusUsage,
    StreamWriter,
    build_trim_command,
    parse_usage,
)
from storage.valkey.connection import make_async_client, make_client, translate_valkey_errors
from storage.valkey.tickets import ALL_TICKETS

DISABLED = "carillon:disabled"  # a set of the ids of disabled users, and NOBODY once it is complete
NOBODY = 0
PROBE = "carillon:bus:probe"


def _split(user_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """`user_ids` in parts of 1,000 at most, so that no command occupies Valkey for long."""
    return (user_ids[start : start + 1_000] for start in range(0, len(user_ids), 1_000))


class Bus:
    """The publisher of workers and commands. For one thread at a time.

    Every method raises TransientError when Valkey did not confirm all of it. All of them are safe to repeat.
    """

    def __init__(self, settings: BusSettings, valkey: ValkeySettings) -> None:
        self._settings = settings
        self._writer = StreamWriter(settings)
        self._client = make_client(valkey)

    def publish(self, events: Sequence[Event]) -> None:
        """Write events to the streams of their people, in this order on every shard.

        One round trip, unless they are large. After a TransientError some may have been written: publish all of
        them again, in the same order.
        """
        for commands in self._writer.build_rounds(events):
            with translate_valkey_errors():
                self._run_pipeline(commands)

    def disable(self, *user_ids: int, at_ms: int) -> None:
        """Make gateways refuse these people from now on, and close their connections (contract §5).

        `at_ms` is the instant of disabling, in Unix milliseconds.
        """
        for some in _split(user_ids):
            with translate_valkey_errors():
                self._client.sadd(DISABLED, *some)
            self.publish([Disconnect(user_id, at_ms) for user_id in some])

    def enable(self, *user_ids: int) -> None:
        """Let gateways accept these people again."""
        for some in _split(user_ids):
            with translate_valkey_errors():
                self._client.srem(DISABLED, *some)

    def has_disabled_marks(self) -> bool:
        """Whether Valkey's set of disabled people is complete: `restore_disabled` was called since it was last wiped."""
        with translate_valkey_errors():
            return bool(self._client.sismember(DISABLED, str(NOBODY)))

    def read_disabled(self) -> frozenset[int]:
        """The ids of everyone whom gateways refuse."""
        with translate_valkey_errors():
            marks = self._client.smembers(DISABLED)
        return frozenset(map(int, marks)) - {NOBODY}

    def count_disabled(self) -> int:
        """How many people gateways refuse. Only right when the set is complete (`has_disabled_marks`)."""
        with translate_valkey_errors():
            return int(self._client.scard(DISABLED)) - 1  # NOBODY

    def restore_disabled(self, user_ids: Sequence[int]) -> None:
        """Write the set of disabled people anew, after Valkey was wiped, and mark it as complete.

        No Disconnect is published: gateways compare the set with who is connected by themselves.
        """
        for some in _split((*user_ids, NOBODY)):
            with translate_valkey_errors():
                self._client.sadd(DISABLED, *some)

    def begin_anew(self) -> None:
        """Begin another life of the bus, after the record was restored: who comes with a position is told RESYNC.

        Events of messages that the record does not know any more are gone, and so are tickets. The set of disabled
        people is written anew by the sweep.
        """
        with translate_valkey_errors():
            self._client.unlink(*STREAMS, USE, BIRTH, DISABLED)
            for ticket in self._client.scan_iter(match=ALL_TICKETS, count=1_000):
                self._client.unlink(ticket)

    def trim(self) -> BusUsage:
        """Trim what is old or too much, by Valkey's own clock and memory, and tell what is left.

        It also works in a Valkey that is full. It may be called often, by any process: within a second of another
        call nothing is trimmed, and the answer is that call's.
        """
        with translate_valkey_errors():
            return parse_usage(self._client.eval(*build_trim_command(self._settings)))

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _run_pipeline(self, commands: Iterable[Sequence[Any]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute()


class AsyncBus:
    """The bus for processes with an event loop, which publish nothing: who is disabled, trimming, and a probe.

    Every method raises TransientError when Valkey does not answer.
    """

    def __init__(self, settings: BusSettings, valkey: ValkeySettings) -> None:
        self._settings = settings
        self._client = make_async_client(valkey)

    async def find_disabled(self, user_ids: Collection[int]) -> frozenset[int]:
        """Those of these people who are disabled, in one round trip."""
        with translate_valkey_errors():
            marks = await self._client.smismember(DISABLED, list(map(str, user_ids)))
        return frozenset(user_id for user_id, mark in zip(user_ids, marks, strict=True) if mark)

    async def trim(self) -> BusUsage:
        """Trim the streams and tell what is left, as `Bus.trim` does."""
        with translate_valkey_errors():
            return parse_usage(await self._client.eval(*build_trim_command(self._settings)))

    async def probe(self) -> None:
        """Raise TransientError unless Valkey takes a write: it may be away, full, on a full disk, or a replica."""
        with translate_valkey_errors():
            await self._client.set(PROBE, 1, px=1_000)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
