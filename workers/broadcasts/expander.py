"""Expanding: a chunk's deliveries are inserted with its counters, then its event is published. A part of a broadcast lane."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from storage.model.broadcast import Chunk, ChunkState
from storage.model.conversation import app_peer
from storage.model.errors import TransientError, describe_error
from storage.model.event import NewMessage
from storage.model.message import FIRST_VERSION, PersistedMessage
from storage.postgres.broadcasts import expansion
from workers.broadcasts.chunk_failures import record_chunk_failure
from workers.message_events import make_event
from workers.message_tracking import trace_messages
from workers.services import Services

_log = logging.getLogger(__name__)

# How long a chunk that could not be published rests: about as long as the sweep takes to come round.
BUS_WAIT = timedelta(seconds=1)


class Expander:
    """Expands chunk after chunk, one of each app in turn, so that no app waits for another's broadcast."""

    def __init__(self, services: Services, *, now: Callable[[], float]) -> None:
        """`now`: a clock in seconds that also runs while this process is frozen."""
        self._services = services
        self._database = services.database
        self._now = now
        self._lease = services.settings.lease
        self._max_attempts = services.settings.max_attempts
        self._messages: dict[int, PersistedMessage] = {}
        self._last_app_id = 0
        self._has_left_unpublished = False

    @property
    def has_left_unpublished(self) -> bool:
        """Whether it has expanded a chunk that it did not publish: some lane has to come back to that one."""
        return self._has_left_unpublished

    def expand_chunk(self) -> bool:
        """Expand the next app's next chunk and publish it; False: no chunk waits.

        A chunk that fails, for whatever reason, rests, alone. Raises TransientError if PostgreSQL is away or too slow;
        then the chunk that was next rests too, so that the next lane begins with another.
        """
        after, claimed_at = self._last_app_id, self._now()
        try:
            with self._services.metrics.chunk_seconds.labels("insert").time():
                chunk = self._database.transaction(
                    expansion.expand_next,
                    after_app_id=after,
                    lease=self._lease,
                    max_attempts=self._max_attempts,
                )
        except TransientError as error:
            self._let_next_rest(error)
            raise
        except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
            return self._expand_alone(error)
        self._last_app_id = 0 if chunk is None else chunk.app_id
        if chunk is None:
            # The last app has had its turn: the first is next.
            return after != 0 and self.expand_chunk()
        self._publish_or_put_back(chunk, claimed_at=claimed_at)
        return True

    def publish_leftover(self) -> bool:
        """Publish a chunk that was expanded and whose lane has gone or left it; False: there is none that may be published."""
        claimed_at = self._now()
        chunk = self._database.transaction(
            expansion.claim_unpublished, lease=self._lease, max_attempts=self._max_attempts
        )
        if chunk is not None:
            self._publish(chunk, claimed_at=claimed_at)
        return chunk is not None

    def _publish_or_put_back(self, chunk: Chunk, *, claimed_at: float) -> None:
        """Publish a chunk that was just expanded, unless an earlier broadcast of its app has to be published first."""
        self._services.metrics.people.labels("expanded").inc(len(chunk.user_ids))
        if chunk.is_barred:
            self._has_left_unpublished = True
            self._database.transaction(expansion.postpone_publishing, chunk, wait=timedelta(0))
        else:
            self._publish(chunk, claimed_at=claimed_at)

    def _publish(self, chunk: Chunk, *, claimed_at: float) -> None:
        since = time.time()
        try:
            with self._services.metrics.chunk_seconds.labels("publish").time():
                event = self._make_event(chunk)
                if self._is_lease_over(claimed_at):
                    self._has_left_unpublished = True
                    return
                self._services.bus.publish([event])
        except TransientError as error:
            # It is in the histories; a lane that comes by when the bus is back publishes it.
            _log.warning("Chunk not published, for now: %s", error.detail)
            self._services.metrics.unpublished.inc()
            self._database.transaction(expansion.postpone_publishing, chunk, wait=BUS_WAIT)
            return
        except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
            record_chunk_failure(self._services, chunk, state=ChunkState.EXPANDED, error=error)
            return
        self._database.transaction(expansion.mark_published, chunk)
        message = self._message_of(chunk)
        trace_messages(self._services, f"publish chunk {chunk.number}", [message], since=since)

    def _is_lease_over(self, claimed_at: float) -> bool:
        """Whether this process was held up until the chunk's lease was over: then another lane publishes it.

        Or the broadcast was taken back meanwhile and everyone told so: a message must not be pushed after its recall.
        """
        return self._now() - claimed_at >= self._lease.total_seconds()

    def _make_event(self, chunk: Chunk) -> NewMessage:
        return make_event(
            self._message_of(chunk),
            self._services.media,
            recipients=((app_peer(chunk.app_id), chunk.user_ids),),
            part=chunk.number,
        )

    def _message_of(self, chunk: Chunk) -> PersistedMessage:
        """The chunk's message, in no older form than its people's to-dos are (contract §8)."""
        known = self._messages.get(chunk.broadcast_id)
        if known is None or (known.message.version or FIRST_VERSION) < chunk.version:
            self._messages.clear()  # Chunks come broadcast by broadcast: one is enough.
            known = self._database.transaction(expansion.load_message, chunk.broadcast_id)
            self._messages[chunk.broadcast_id] = known
        return known

    def _find_next(self) -> Chunk | None:
        return self._database.transaction(expansion.find_next_chunk, after_app_id=self._last_app_id)

    def _let_next_rest(self, error: TransientError) -> None:
        """Let the chunk that took PostgreSQL too long rest, so that the next lane does not try it first.

        If PostgreSQL is away, this raises TransientError too, and nothing is noted.
        """
        chunk = self._find_next()
        if chunk is not None:
            record_chunk_failure(self._services, chunk, state=ChunkState.WAITING, error=error)

    def _expand_alone(self, error: Exception) -> bool:
        """Expand the chunk that was next, and it alone; only if that fails too, the failure is this chunk's."""
        chunk = self._find_next()
        if chunk is None:
            _log.error("A chunk failed, and none is left: %s", describe_error(error))
            return False
        self._last_app_id = chunk.app_id
        claimed_at = self._now()
        try:
            expanded = self._database.transaction(
                expansion.expand_chunk, chunk, lease=self._lease, max_attempts=self._max_attempts
            )
        except TransientError:
            raise
        except Exception as again:  # noqa: BLE001 (one chunk must not stop the others)
            record_chunk_failure(self._services, chunk, state=ChunkState.WAITING, error=again)
        else:
            if expanded is not None:
                self._publish_or_put_back(expanded, claimed_at=claimed_at)
        return True
