"""A bus in memory for tests: streams that can be trimmed, wiped, restarted with loss, and cut off."""

from datetime import timedelta
from typing import Any

from storage.model.errors import TransientError
from storage.model.event import Event, MessageUpdated, NewMessage
from storage.valkey.bus_reader import BEGINNING, Batch, Entry, Position, Survey
from storage.valkey.event_json import SHARDS, decode_event, encode_event


class Stream:
    """One shard of the model bus."""

    def __init__(self) -> None:
        self.entries: list[tuple[Position, bytes]] = []
        self.added = 0
        self.last = BEGINNING


class ModelBus:
    """What Valkey does, as far as the feed can see; a Reader."""

    def __init__(self) -> None:
        self.streams = [Stream() for _ in range(SHARDS)]
        self.life = 0
        self.now = 1_000_000
        self.is_cut = False

    def publish(self, event: Any) -> None:
        """XADD on every shard of the event."""
        self.now += 1
        for shard, payload in encode_event(event):
            stream = self.streams[shard]
            stream.last = Position(self.now, 0)
            stream.entries.append((stream.last, payload))
            stream.added += 1

    def trim(self, keep: int) -> None:
        """XTRIM: every shard keeps its latest `keep`."""
        for stream in self.streams:
            stream.entries = stream.entries[max(0, len(stream.entries) - keep) :]

    def wipe(self) -> None:
        """FLUSHALL."""
        self.streams = [Stream() for _ in range(SHARDS)]
        self.life += 1

    def restart(self, lost: int) -> None:
        """A crash that loses the latest `lost` entries of every shard."""
        for stream in self.streams:
            if lost and stream.entries:
                del stream.entries[-lost:]
                stream.added -= min(lost, stream.added)
                stream.last = stream.entries[-1][0] if stream.entries else BEGINNING
        self.life += 1
        self.is_cut = True

    def list_held_keys(self, shard: int, *, until: Position | None = None) -> set[str]:
        """The keys of the events that a shard holds now, up to a position."""
        return {event.key for event in self._find_held(shard, BEGINNING, until)}

    def find_held_forms(
        self, shard: int, *, after: Position = BEGINNING, until: Position | None = None
    ) -> dict[str, int]:
        """The newest version of each message that a shard holds between two positions, by the key of its NewMessage."""
        versions: dict[str, int] = {}
        for event in self._find_held(shard, after, until):
            if isinstance(event, NewMessage | MessageUpdated):
                name, version = f"n{event.message.id}.{event.part}", event.message.version or 1
                versions[name] = max(version, versions.get(name, 0))
        return versions

    def _find_held(self, shard: int, after: Position, until: Position | None) -> list[Event]:
        events = (
            decode_event(payload)
            for position, payload in self.streams[shard].entries
            if after < position and (until is None or position <= until)
        )
        return [event for event in events if event is not None]

    async def connect(self) -> None:
        """See Reader."""
        self.is_cut = False

    async def read(self, positions: list[Position], *, limit: int, wait: timedelta) -> Batch:
        """See Reader; never waits."""
        if self.is_cut:
            raise TransientError("cut")
        return Batch(f"{self.life:08x}", self._after(positions, limit))

    async def survey(self, positions: list[Position], *, limit: int) -> Batch:
        """See Reader."""
        batch = await self.read(positions, limit=limit, wait=timedelta())
        surveys = tuple(
            Survey(stream.added, stream.added - len(stream.entries), stream.last)
            for stream in self.streams
        )
        return Batch(batch.generation, batch.entries, surveys)

    def _after(self, positions: list[Position], limit: int) -> list[Entry]:
        found = []
        for shard, stream in enumerate(self.streams):
            news = [entry for entry in stream.entries if entry[0] > positions[shard]][:limit]
            found += [Entry(shard, at, payload, decode_event(payload)) for at, payload in news]
        return found
