"""Tells people's devices what was read or taken back, over the bus, without anyone's waiting for it."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from ingest.batches import Batches
from ingest.telemetry import Telemetry
from storage.bus import AsyncBus
from storage.model.conversation import Copy, ReadMark
from storage.model.errors import CarillonError
from storage.model.event import ConversationRead, Event, MessageRecalled

# An event older than this tells nobody anything: clients re-read when they come back (contract §5).
_PATIENCE = timedelta(seconds=10)


class Pusher:
    """Publishes at most once; what the bus does not take is counted and dropped."""

    def __init__(self, bus: AsyncBus, telemetry: Telemetry) -> None:
        self._bus = bus
        self._telemetry = telemetry
        self._events: Batches[Event, None] = Batches(self._publish, size=500, patience=_PATIENCE)

    def read(self, user_id: int, marks: Iterable[ReadMark]) -> None:
        """Push what reading changed; returns at once and never raises."""
        for mark in marks:
            if mark.count:
                self._push(
                    ConversationRead(user_id, mark.peer_id, mark.up_to_id, mark.unread_count)
                )

    def recalled(self, message_id: int, copies: Sequence[Copy]) -> None:
        """Push that these copies are gone; returns at once and never raises."""
        if copies:
            recipients = tuple((copy.peer_id, (copy.user_id,)) for copy in copies)
            self._push(MessageRecalled(message_id, recipients))

    def _push(self, event: Event) -> None:
        try:
            self._events.ask(event).add_done_callback(self._note)
        except CarillonError:
            self._telemetry.unpublished.inc()

    async def _publish(self, events: Sequence[Event]) -> list[None]:
        await self._bus.publish(events)
        return [None] * len(events)

    def _note(self, published: "asyncio.Future[None]") -> None:
        if published.cancelled() or published.exception() is not None:
            self._telemetry.unpublished.inc()
