"""Publishing: the persist lane's messages, and what ingest put into the outbox, become events on the bus.

Called by the persist lane. An event that cannot be made or written is *refused*, it alone: the caller sets it aside and
everything behind it goes on (docs/decisions/0022-publishing-sets-aside-alone.md). Only a bus that is away holds
everything back.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

from storage.model.errors import PermanentError, TransientError, describe_error
from storage.model.event import Event
from storage.model.message import PersistedMessage
from storage.postgres.outbox import OutboxEvent
from workers.message_events import make_event_for_copies
from workers.message_tracking import observe_delay, trace_messages
from workers.services import Services

_log = logging.getLogger(__name__)

_UNKNOWN_KIND = "This version does not know events of its kind."


@dataclass(frozen=True, slots=True)
class RefusedEvents:
    """Events that could not be published, each alone, with the reason that operators are told.

    `messages` by message id, `notices` by the number of their row in the outbox.
    """

    messages: dict[int, str] = field(default_factory=dict)
    notices: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of what a Publisher was given; if `is_on_bus` is false, all of it has to be published again."""

    is_on_bus: bool
    refused: RefusedEvents = field(default_factory=RefusedEvents)


def publish_batch(
    services: Services, batch: Sequence[PersistedMessage], *, notices: Sequence[OutboxEvent] = ()
) -> RefusedEvents:
    """Put the events of `batch` on the bus, in order, then those of `notices`; returns what was refused.

    Broadcasts in `batch` are passed over: the broadcast lanes publish them, chunk by chunk. Raises TransientError if
    the bus is away; then some events may be on it and all may be published again, since readers skip what they have
    seen.
    """
    messages, refused_messages = _make_events(batch, services)
    known = {notice.number: notice.event for notice in notices if notice.event is not None}
    refused_notices = {notice.number: _UNKNOWN_KIND for notice in notices if notice.event is None}
    try:
        services.bus.publish([*messages.values(), *known.values()])
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 (one of them cannot be written: each alone shows which)
        refused_messages |= _publish_one_by_one(messages, services)
        refused_notices |= _publish_one_by_one(known, services)
    refused = RefusedEvents(refused_messages, refused_notices)
    _report(refused, services)
    return refused


def _make_events(
    batch: Sequence[PersistedMessage], services: Services
) -> tuple[dict[int, Event], dict[int, str]]:
    """By message id, in order: the events of `batch`, and why the others could not be made."""
    events: dict[int, Event] = {}
    refused: dict[int, str] = {}
    for persisted in batch:
        if persisted.message.is_broadcast:
            continue
        try:
            events[persisted.message.id] = make_event_for_copies(persisted, services.media)
        except PermanentError as error:
            refused[persisted.message.id] = error.detail
    return events, refused


def _publish_one_by_one(events: Mapping[int, Event], services: Services) -> dict[int, str]:
    """Publish each alone, in order; why which could not be. Raises TransientError if the bus is away."""
    refused: dict[int, str] = {}
    for number, event in events.items():
        try:
            services.bus.publish([event])
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this event alone)
            refused[number] = describe_error(error)
    return refused


def _report(refused: RefusedEvents, services: Services) -> None:
    """Count and log what was refused."""
    for what, reasons in (("Message", refused.messages), ("Row of the outbox", refused.notices)):
        for number, why in reasons.items():
            services.metrics.set_aside.inc()
            _log.error("%s %d cannot be published: %s", what, number, why)


class Publisher:
    """Publishes one batch in a thread of its own, while its user persists the next.

    Submit a batch, start it, flush it, then submit the next: there is one batch in hand at a time, so order is kept.
    Use it in a `with` statement: when that is left, nothing is on its way to the bus any more.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._batch: Sequence[PersistedMessage] = ()
        self._notices: Sequence[OutboxEvent] = ()
        self._outcome: Future[Outcome] | None = None

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._thread.shutdown()

    @property
    def message_ids(self) -> list[int]:
        """The messages in hand: submitted and not flushed."""
        return [message.id for message, _ in self._batch]

    @property
    def notice_numbers(self) -> list[int]:
        """The rows of the outbox in hand: submitted and not flushed."""
        return [notice.number for notice in self._notices]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in hand."""
        return not (self._batch or self._notices)

    @property
    def has_started(self) -> bool:
        """Whether what is in hand was started."""
        return self._outcome is not None

    def submit(self, batch: Sequence[PersistedMessage]) -> None:
        """Take `batch` in hand, to be published when it is started or flushed. Nothing may be in hand before."""
        self._batch = batch

    def submit_notices(self, notices: Sequence[OutboxEvent]) -> None:
        """Take `notices` in hand, to be published behind the messages. What is in hand may not have been started."""
        self._notices = notices

    def start(self) -> None:
        """Begin to publish what is in hand, in the thread; nothing happens if it was started or nothing is in hand.

        A step of its own, because Python runs one thread at a time: while the thread encodes events, its user waits
        longer for the answers to short questions.
        """
        if not self.is_empty and self._outcome is None:
            self._outcome = self._thread.submit(self._publish, self._batch, self._notices)

    def flush(self) -> Outcome:
        """Start what is in hand if need be, wait until it is published or has failed, and let go of it.

        Never raises because of the bus. With nothing in hand the outcome is that all of it is on the bus.
        """
        self.start()
        outcome = Outcome(is_on_bus=True) if self._outcome is None else self._outcome.result()
        self._batch, self._notices, self._outcome = (), (), None
        return outcome

    def _publish(
        self, batch: Sequence[PersistedMessage], notices: Sequence[OutboxEvent]
    ) -> Outcome:
        metrics, since = self._services.metrics, time.time()
        try:
            refused = publish_batch(self._services, batch, notices=notices)
        except TransientError as error:
            _log.warning("Not published, for now: %s", error.detail)
            metrics.unpublished.inc()
            return Outcome(is_on_bus=False)
        observe_delay(metrics.accepted_to_published, batch)
        trace_messages(self._services, "publish", batch, since=since)
        return Outcome(is_on_bus=True, refused=refused)
