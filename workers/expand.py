"""The broadcast lanes: plan what is pending, then chunk by chunk insert, publish, mark; and take back.

Lanes share nothing but PostgreSQL; each takes a chunk of every app in turn, so that no app waits for
another's broadcast, and gives the queue back after a second (design §5).
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from storage import broadcasts
from storage.database import BlockingDatabase
from storage.messages import Persisted
from storage.model.broadcast import Chunk
from storage.model.conversation import app_peer
from storage.model.errors import NeverWillWork, TryLater
from storage.model.event import NewMessage
from storage.task_queue import BROADCASTS
from workers import recall
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
    lane = _Lane(process)
    done = int(lane.publish_left_over())  # however busy lanes are: its people have it already
    while lane.step():
        done += 1
        if now() >= deadline:
            process.doorbell.ring(BROADCASTS)
            break
    return done


class _Lane:
    """One lane: whose turn it is, and the messages it is expanding."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._telemetry = process.telemetry
        self._database: BlockingDatabase = process.database
        self._lease = process.settings.lease
        self._messages: dict[int, Persisted] = {}
        self._expanded_app = 0
        self._planner = Planner(process)

    def step(self) -> bool:
        """A slice of planning, a chunk of expanding, a chunk of taking back; False: nothing to do."""
        has_planned, has_expanded, has_recalled = (
            self._planner.step(),
            self._expand(),
            self._recall(),
        )
        return has_planned or has_expanded or has_recalled or self.publish_left_over()

    def _expand(self) -> bool:
        after = self._expanded_app
        try:
            with self._telemetry.chunk_seconds.labels("insert").time():
                chunk = self._database.run(
                    broadcasts.expand_next, after_app_id=after, lease=self._lease
                )
        except NeverWillWork as error:
            return self._count_failure(error)
        self._expanded_app = 0 if chunk is None else chunk.app_id
        if chunk is None:
            return after != 0 and self._expand()
        self._telemetry.people.labels("expanded").inc(len(chunk.user_ids))
        self._publish(chunk)
        return True

    def _recall(self) -> bool:
        return recall.step(self._process)

    def publish_left_over(self) -> bool:
        """Publish a chunk that a lane which is gone expanded; False: there is none."""
        chunk = self._database.run(broadcasts.claim_unpublished, lease=self._lease)
        if chunk is not None:
            self._publish(chunk)
        return chunk is not None

    def _publish(self, chunk: Chunk) -> None:
        since = time.time()
        try:
            with self._telemetry.chunk_seconds.labels("publish").time():
                self._process.bus.publish([self._event(chunk)])
        except TryLater as error:
            # It is in the histories; whoever takes it up when the bus is back publishes it.
            _log.warning("Chunk not published, for now: %s", error.detail)
            self._telemetry.unpublished.inc()
            self._database.run(broadcasts.put_back, chunk, wait=BUS_WAIT)
            return
        self._database.run(broadcasts.mark_published, chunk)
        persisted = self._message(chunk.broadcast_id)
        follow(self._process, f"publish chunk {chunk.number}", [persisted], since=since)

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
            found = self._database.run(broadcasts.message, broadcast_id)
            self._messages[broadcast_id] = Persisted(*found)
        return self._messages[broadcast_id]

    def _count_failure(self, error: NeverWillWork) -> bool:
        """Find the chunk that failed, and see whether it fails alone too: then it counts."""
        chunk = self._database.run(broadcasts.suspect, after_app_id=self._expanded_app)
        if chunk is None:
            return False
        _log.error("Chunk %d of %d failed: %s", chunk.number, chunk.broadcast_id, error.detail)
        self._database.run(
            broadcasts.count_failure,
            chunk,
            error=error.detail,
            max_attempts=self._process.settings.max_attempts,
        )
        return True
