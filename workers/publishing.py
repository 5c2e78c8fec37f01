"""Publishing: persisted messages become events on the bus, one batch behind the persisting.

Used by the persist lane; the broadcast lanes make their events here too. A message whose event cannot be
made or written, it alone, is *refused*: whoever published sets it aside, and everything behind it goes on.
Only the bus being away (TransientError) holds everything back.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType

from prometheus_client import Histogram

from storage.model.conversation import copies
from storage.model.errors import PermanentError, TransientError, reason
from storage.model.event import Event, NewMessage
from storage.model.message import MEDIA_TYPES, Message, is_understood
from storage.model.origin import Origin
from storage.postgres.messages.persistence import PersistedMessage
from storage.postgres.outbox import Notice
from workers.services import Services

_log = logging.getLogger(__name__)

_UNKNOWN = "This version does not know events of its kind."

Recipients = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why what was not published, each alone: message ids, numbers of the outbox → what an operator is told."""

    messages: dict[int, str] = field(default_factory=dict)
    notices: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: whether the bus is there, and what was refused."""

    is_on_bus: bool
    refused: Refused = field(default_factory=Refused)


def new_message(
    persisted: PersistedMessage, services: Services, *, recipients: Recipients, part: int = 0
) -> NewMessage:
    """The event of a message; `part` as in NewMessage. Raises PermanentError if it cannot be made now.

    Whatever the reason is: a store without credentials, a type of a newer version, a defect of ours. It
    concerns this message alone, so it must not look like a bus that is away.
    """
    try:
        return _made(persisted, services, recipients, part)
    except Exception as error:
        raise PermanentError(reason(error)) from error


def event(persisted: PersistedMessage, services: Services) -> NewMessage:
    """The event of a message to one receiver: one recipient group a copy; raises as `new_message`."""
    return new_message(persisted, services, recipients=_people(persisted.message))


def put_on_bus(
    services: Services, batch: Sequence[PersistedMessage], *, notices: Sequence[Notice] = ()
) -> Refused:
    """Publish `batch`, in order, then `notices`; what was refused.

    Raises TransientError if the bus did not take it: all of it may be published again.
    """
    made, messages = _make([one for one in batch if not one.message.is_broadcast], services)
    unknown = {one.number: _UNKNOWN for one in notices if one.event is None}
    told = [one.event for one in notices if one.event is not None]
    try:
        services.bus.publish([*made, *told])
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 (one of them cannot be written: each by itself says which)
        messages |= _put_each({one.message.id: one for one in made}, services)
        unknown |= _put_each({n.number: n.event for n in notices if n.event is not None}, services)
    refused = Refused(messages, unknown)
    _tell(refused, services)
    return refused


def _tell(refused: Refused, services: Services) -> None:
    for what, errors in (("Message", refused.messages), ("Row of the outbox", refused.notices)):
        for number, why in errors.items():
            services.telemetry.set_aside.inc()
            _log.error("%s %d cannot be published: %s", what, number, why)


class Publisher:
    """Publishes one batch while its user persists the next: one waits for PostgreSQL, the other encodes.

    One batch at a time, in order, by a thread of its own. Use it with `with`: nothing of it is on its way
    afterwards. The thread begins when it is told to: Python runs one thread at a time, and one that
    encodes would keep its user from the answers to short questions.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._batch: Sequence[PersistedMessage] = ()
        self._notices: Sequence[Notice] = ()
        self._outcome: Future[Outcome] | None = None

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._thread.shutdown()

    @property
    def in_hand(self) -> list[int]:
        """The messages that were submitted and whose outcome nobody has asked for."""
        return [message.id for message, _ in self._batch]

    @property
    def notices_in_hand(self) -> list[int]:
        """The same for rows of the outbox, by number."""
        return [notice.number for notice in self._notices]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in hand."""
        return not (self._batch or self._notices)

    @property
    def has_begun(self) -> bool:
        """Whether what is in hand is on its way."""
        return self._outcome is not None

    def submit(self, batch: Sequence[PersistedMessage]) -> None:
        """Have `batch` published next; only after the `flush` of what was before."""
        self._batch = batch

    def add(self, notices: Sequence[Notice]) -> None:
        """Have `notices` published behind what was submitted and has not begun."""
        self._notices = notices

    def begin(self) -> None:
        """Start publishing what is in hand, if it has not begun."""
        if not self.is_idle and self._outcome is None:
            self._outcome = self._thread.submit(self._publish, self._batch, self._notices)

    def flush(self) -> Outcome:
        """Wait for what is in hand, and let go of it: whoever asks has noted what it was."""
        self.begin()
        outcome = Outcome(is_on_bus=True) if self._outcome is None else self._outcome.result()
        self._batch, self._notices, self._outcome = (), (), None
        return outcome

    def _publish(self, batch: Sequence[PersistedMessage], notices: Sequence[Notice]) -> Outcome:
        telemetry, since = self._services.telemetry, time.time()
        try:
            refused = put_on_bus(self._services, batch, notices=notices)
        except TransientError as error:
            _log.warning("Not published, for now: %s", error.detail)
            telemetry.unpublished.inc()
            return Outcome(is_on_bus=False)
        note_delay(telemetry.accepted_to_published, batch)
        follow(self._services, "publish", batch, since=since)
        return Outcome(is_on_bus=True, refused=refused)


def _made(
    persisted: PersistedMessage, services: Services, recipients: Recipients, part: int
) -> NewMessage:
    message, origin = persisted
    if not is_understood(message):
        raise PermanentError(
            f"This version does not know messages of type {message.type}/{message.content_type}."
        )
    content = shown_content(message, services)
    return NewMessage(message, content, recipients=recipients, part=part, origin=origin)


def _people(message: Message) -> Recipients:
    return tuple((copy.peer_id, (copy.user_id,)) for copy in copies(message))


def _make(
    batch: Sequence[PersistedMessage], services: Services
) -> tuple[list[NewMessage], dict[int, str]]:
    """The events of `batch`, and why which could not be made."""
    try:
        return [_made(one, services, _people(one.message), 0) for one in batch], {}
    except Exception:  # noqa: BLE001 (each by itself says which it was)
        made, refused = [], {}
    for one in batch:
        try:
            made.append(event(one, services))
        except PermanentError as error:
            refused[one.message.id] = error.detail
    return made, refused


def _put_each(events: Mapping[int, Event], services: Services) -> dict[int, str]:
    """One after the other, so that what fails fails alone. Raises TransientError as `put_on_bus`."""
    refused: dict[int, str] = {}
    for number, one in events.items():
        try:
            services.bus.publish([one])
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this one)
            refused[number] = reason(error)
    return refused


def note_delay(histogram: Histogram, batch: Sequence[PersistedMessage]) -> None:
    """Of the oldest only: one more for every message would cost a good part of persisting it."""
    if batch:
        oldest = min(message.created_at for message, _ in batch)
        histogram.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


def follow(
    services: Services, step: str, batch: Iterable[PersistedMessage], *, since: float
) -> None:
    """Say what was done for each message, to whoever follows its request: a span, a line of the log."""
    tracing, is_logged = services.tracing, _log.isEnabledFor(logging.DEBUG)
    if tracing is None and not is_logged:
        return
    for message, origin in batch:
        if tracing is not None:
            tracing.note(step, origin, since=since, message_id=message.id)
        if is_logged:
            extra = {"request_id": Origin.of(origin).request_id}
            _log.debug("%s: message %d", step, message.id, extra=extra)


def shown_content(message: Message, services: Services) -> str:
    """The content as clients get it: an object key becomes a presigned URL (contract §4)."""
    if message.content_type in MEDIA_TYPES:
        return services.media.url(message.content, filename=message.filename or "")
    return message.content
