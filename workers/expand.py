"""The broadcast lanes: plan what is pending, then chunk by chunk insert, publish, mark; and take back.

Lanes share nothing but PostgreSQL; each takes a chunk of every app in turn, so that no app waits for
another's broadcast, and gives the queue back after a second
(docs/decisions/0011-chunks-of-a-broadcast.md).
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from storage.broker import BROADCASTS
from storage.model.broadcast import Chunk, ChunkState
from storage.model.conversation import app_peer
from storage.model.errors import TransientError, reason
from storage.model.event import NewMessage
from storage.postgres.broadcasts import expansion
from storage.postgres.database import BlockingDatabase
from storage.postgres.messages.histories import Persisted
from workers import recall
from workers.chunk_failures import set_aside
from workers.plan import Planner
from workers.process import Process
from workers.publishing import follow, new_message

_log = logging.getLogger(__name__)

# How long a chunk that could not be published rests: about as long as the sweep takes to come round.
BUS_WAIT = timedelta(seconds=1)


def work(process: Process, *, now: Callable[[], float] = time.monotonic) -> int:
    """Plan, expand and take back until nothing is open or the time is up; how many steps.

    A lane that dies leaves nothing locked: what it inserted is marked, and published by another when
    its lease is over. Nothing is inserted twice.
    """
    deadline = now() + process.settings.drain.total_seconds()
    lane = _Lane(process, now=now)
    done = int(lane.publish_left_over())  # however busy lanes are: its people have it already
    while lane.step():
        done += 1
        if now() >= deadline:
            process.doorbell.ring(BROADCASTS)
            break
    return done


class _Lane:
    """One lane: whose turn it is, and the message it is expanding."""

    def __init__(self, process: Process, *, now: Callable[[], float]) -> None:
        settings = process.settings
        self._process = process
        self._now = now
        self._telemetry = process.telemetry
        self._database: BlockingDatabase = process.database
        self._lease = settings.lease
        self._max_attempts = settings.max_attempts
        self._messages: dict[int, Persisted] = {}
        self._expanded_app = 0
        self._planner = Planner(process)
        self._has_left_some = False

    def step(self) -> bool:
        """A slice of planning, a chunk of expanding, a chunk of taking back; False: nothing to do."""
        has_planned, has_expanded, has_recalled = (
            self._planner.step(),
            self._expand(),
            self._recall(),
        )
        has_done = has_planned or has_expanded or has_recalled
        if has_done and not self._has_left_some:
            return True
        return self.publish_left_over() or has_done

    def _expand(self) -> bool:
        after, claimed_at = self._expanded_app, self._now()
        try:
            with self._telemetry.chunk_seconds.labels("insert").time():
                chunk = self._database.transaction(
                    expansion.expand_next,
                    after_app_id=after,
                    lease=self._lease,
                    max_attempts=self._max_attempts,
                )
        except TransientError as error:
            self._let_rest(error)
            raise
        except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
            return self._find_culprit(error)
        self._expanded_app = 0 if chunk is None else chunk.app_id
        if chunk is None:
            return after != 0 and self._expand()
        self._take_on(chunk, claimed_at=claimed_at)
        return True

    def _take_on(self, chunk: Chunk, *, claimed_at: float) -> None:
        """Publish a chunk that is in the histories now, unless an earlier broadcast has to come first."""
        self._telemetry.people.labels("expanded").inc(len(chunk.user_ids))
        if chunk.is_barred:
            self._has_left_some = True
            self._database.transaction(expansion.put_back, chunk, wait=timedelta(0))
        else:
            self._publish(chunk, claimed_at=claimed_at)

    def _recall(self) -> bool:
        return recall.step(self._process)

    def publish_left_over(self) -> bool:
        """Publish a chunk that is expanded and in nobody's hands; False: there is none that may be."""
        claimed_at = self._now()
        chunk = self._database.transaction(
            expansion.claim_unpublished, lease=self._lease, max_attempts=self._max_attempts
        )
        if chunk is not None:
            self._publish(chunk, claimed_at=claimed_at)
        return chunk is not None

    def _publish(self, chunk: Chunk, *, claimed_at: float) -> None:
        since = time.time()
        try:
            with self._telemetry.chunk_seconds.labels("publish").time():
                event = self._event(chunk)
                if self._is_lost(claimed_at):
                    self._has_left_some = True
                    return
                self._process.bus.publish([event])
        except TransientError as error:
            # It is in the histories; whoever takes it up when the bus is back publishes it.
            _log.warning("Chunk not published, for now: %s", error.detail)
            self._telemetry.unpublished.inc()
            self._database.transaction(expansion.put_back, chunk, wait=BUS_WAIT)
            return
        except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
            set_aside(self._process, chunk, state=ChunkState.EXPANDED, error=error)
            return
        self._database.transaction(expansion.mark_published, chunk)
        persisted = self._message(chunk.broadcast_id)
        follow(self._process, f"publish chunk {chunk.number}", [persisted], since=since)

    def _is_lost(self, claimed_at: float) -> bool:
        """Whether this lane was held up until its lease was over: then the chunk is another's to publish.

        Or it was taken back meanwhile and everyone told so: a recalled message must not follow.
        """
        return self._now() - claimed_at >= self._lease.total_seconds()

    def _event(self, chunk: Chunk) -> NewMessage:
        return new_message(
            self._message(chunk.broadcast_id),
            self._process,
            recipients=((app_peer(chunk.app_id), chunk.user_ids),),
            part=chunk.number,
        )

    def _message(self, broadcast_id: int) -> Persisted:
        if broadcast_id not in self._messages:
            self._messages.clear()  # Chunks come broadcast by broadcast: a long-lived lane keeps one.
            found = self._database.transaction(expansion.message, broadcast_id)
            self._messages[broadcast_id] = Persisted(*found)
        return self._messages[broadcast_id]

    def _let_rest(self, error: TransientError) -> None:
        """What PostgreSQL took too long for must not be the first that the next lane tries.

        If PostgreSQL is away, this raises TransientError too, and nothing is noted.
        """
        chunk = self._database.transaction(expansion.suspect, after_app_id=self._expanded_app)
        if chunk is not None:
            set_aside(self._process, chunk, state=ChunkState.WAITING, error=error)

    def _find_culprit(self, error: Exception) -> bool:
        """Expand alone the chunk that was next; only if that fails too, it was this one."""
        chunk = self._database.transaction(expansion.suspect, after_app_id=self._expanded_app)
        if chunk is None:
            _log.error("A chunk failed, and none is left: %s", reason(error))
            return False
        self._expanded_app = chunk.app_id
        claimed_at = self._now()
        try:
            expanded = self._database.transaction(
                expansion.expand, chunk, lease=self._lease, max_attempts=self._max_attempts
            )
        except TransientError:
            raise
        except Exception as again:  # noqa: BLE001 (as above)
            set_aside(self._process, chunk, state=ChunkState.WAITING, error=again)
        else:
            if expanded is not None:
                self._take_on(expanded, claimed_at=claimed_at)
        return True
