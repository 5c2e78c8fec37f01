"""The persist lane: takes accepted sends, in order, into the histories, and has their events published.

Called by its task, for every ring of the queue `sends`. One process at a time holds the lane, by an advisory lock of
PostgreSQL; one that does not get it returns at once, because the holder does all there is to do. There is one lane for
everything: two messages that reach one socket must be in order even if they come from different people
(contract §2, Order; docs/decisions/0003-one-persist-lane.md).
"""

import logging
import time
from collections.abc import Callable, Sequence

from storage.broker.queues import BROADCASTS, SENDS
from storage.model.errors import PermanentError, TransientError
from storage.model.message import PersistedMessage
from storage.postgres import outbox
from storage.postgres.database import Session
from storage.postgres.messages import persistence, unpublished
from storage.postgres.sends import due_work, persist_lane
from storage.postgres.sends.persist_lane import Claim, LaneState
from workers.message_tracking import observe_delay, trace_messages
from workers.publishing import Publisher, RefusedEvents, publish_batch
from workers.services import Services

_log = logging.getLogger(__name__)

# How long a holder with nothing left to do stays, and how often it looks:
# a look costs less than a ring.
LINGER_SECONDS = 0.06
LOOK_SECONDS = 0.002


def drain(services: Services, *, now: Callable[[], float] = time.monotonic) -> int:
    """Hold the lane, and persist and publish until nothing is due or the time is up.

    Returns how many messages and rows of the outbox it took on; 0 also if another process holds the lane, or the bus is away
    and nothing else is left. With work left when the time is up it rings the queue. `now`: a clock in seconds.

    Whatever dies or fails here, nothing is lost: a send is in `accepted` or in the histories, and a message in the
    histories that may not be on the bus is named in the claim or in `unpublished`. Raises TransientError if PostgreSQL
    is away, or if nothing can be persisted.
    """
    deadline = now() + services.settings.drain.total_seconds()
    done = 0
    with services.database.session() as session:
        while (found := session.query(persist_lane.take_lane, services.name)) is not None:
            try:
                count = _Holder(session, services, now=now, deadline=deadline).drain(found)
            finally:
                _leave_lane(session)
            done += count
            # Again while something is due: what was committed while the lane was being left had its
            # ring answered by a worker that found it taken. No progress means that the bus is away;
            # the sweep rings until it is back.
            if not count or not session.query(due_work.has_due_work):
                break
            if now() >= deadline:
                services.doorbell.ring(SENDS)
                break
    return done


def _leave_lane(session: Session) -> None:
    if not session.is_lost:
        session.query(persist_lane.leave_lane)


class _Holder:
    """The holder of the lane: persists one batch after the other, and publishes each while it persists the next.

    Everything is asked on the session that holds the lane: a holder that has lost it can write nothing more. A batch
    is submitted to the publisher when it is persisted, and started only when the next batch is claimed: the claim
    then names both, until the first is on the bus.
    """

    def __init__(
        self, session: Session, services: Services, *, now: Callable[[], float], deadline: float
    ) -> None:
        self._now = now
        self._deadline = deadline
        self._session = session
        self._services = services
        self._metrics = services.metrics
        self._batch_size = services.settings.persist_batch
        self._max_attempts = services.settings.max_attempts
        self._is_bus_up = True
        self._publisher = Publisher(services)

    def drain(self, found: LaneState) -> int:
        """Take over what `found` says was left behind, then work until nothing is due or the deadline has passed."""
        # The next holder publishes after this one: leaving the `with` waits until nothing is on its way.
        with self._publisher:
            done = self._take_over(found)
            while self._has_work(claim := self._claim()):
                self._publisher.start()
                done += self._persist(claim.ids) if claim.ids else 0
                done += self._submit_notices() if claim.has_outbox else 0
                if self._now() >= self._deadline:
                    break
                if len(claim.ids) < self._batch_size:  # else more is waiting, and is claimed first
                    self._publisher.start()
                    self._linger()
            if claim.ids or not self._publisher.is_empty:
                self._flush()
                self._session.query(persist_lane.end_claim)
        return done

    def _take_over(self, found: LaneState) -> int:
        """Put right what an earlier holder left in its claim, and publish what it left unpublished."""
        if found.is_abandoned:
            self._recover(holder_died=found.holder_died)
        if found.has_unpublished or found.is_abandoned:
            return self._publish_leftovers()
        return 0

    def _recover(self, *, holder_died: bool) -> None:
        dead = self._session.query(
            persist_lane.recover_claim, holder_died=holder_died, max_attempts=self._max_attempts
        )
        for id in dead:
            _log.error("Send %d failed for good: its workers died.", id)

    def _publish_leftovers(self) -> int:
        """Publish what was persisted and not published, before anything newer; returns how many messages."""
        done = 0
        while True:
            ids, batch = self._session.query(unpublished.find_due, self._batch_size)
            if not ids:
                return done
            try:
                refused = publish_batch(self._services, batch)
            except TransientError as error:
                _log.warning("Not published, for now: %s", error.detail)
                self._metrics.unpublished.inc()
                self._is_bus_up = False
                return done
            done += len(batch) - len(refused.messages)
            self._session.query(
                unpublished.remove, [id for id in ids if id not in refused.messages]
            )
            self._set_aside(refused)

    def _claim(self) -> Claim:
        publishing = self._publisher.message_ids
        return self._session.query(persist_lane.claim, self._batch_size, publishing=publishing)

    def _has_work(self, claim: Claim) -> bool:
        return bool(claim.ids) or (claim.has_outbox and self._is_bus_up)

    def _linger(self) -> None:
        """Wait a little for the next send: under load one follows another, and a ring for each would cost more.

        What comes is seen within LOOK_SECONDS; a ring takes longer to arrive.
        """
        until = min(self._deadline, self._now() + LINGER_SECONDS)
        if self._publisher.notice_numbers:
            self._flush()  # else the look would find them in the outbox again
        while not self._has_claimable_work() and self._now() < until:
            self._flush()
            time.sleep(LOOK_SECONDS)

    def _has_claimable_work(self) -> bool:
        return self._session.query(due_work.has_claimable_work, outbox=self._is_bus_up)

    def _persist(self, ids: Sequence[int]) -> int:
        """Persist `ids` and submit them to be published; returns how many were persisted.

        A batch that fails because of its data is split until the send that is at fault is alone.
        """
        try:
            since = time.time()
            with self._metrics.persist_seconds.time():
                batch = self._session.query(persistence.persist, ids)
        except PermanentError as error:
            if not error.is_about_data:
                _log.error("Nothing can be persisted: %s", error.detail)
                raise TransientError(error.detail) from error
            if len(ids) == 1:
                self._count_failure(ids[0], error)
                return 0
            middle = len(ids) // 2
            return self._persist(ids[:middle]) + self._persist(ids[middle:])
        if any(message.is_broadcast for message, _ in batch):
            self._services.doorbell.ring(BROADCASTS)
        self._metrics.batch_size.observe(len(batch))
        observe_delay(self._metrics.accepted_to_persisted, batch)
        trace_messages(self._services, "persist", batch, since=since)
        self._submit(batch)
        return len(batch)

    def _count_failure(self, id: int, error: PermanentError) -> None:
        self._metrics.attempts_failed.inc()
        is_dead = self._session.query(
            persist_lane.record_failure, id, error=error.detail, max_attempts=self._max_attempts
        )
        level = logging.ERROR if is_dead else logging.WARNING
        _log.log(level, "Send %d failed: %s", id, error.detail)

    def _submit(self, batch: Sequence[PersistedMessage]) -> None:
        """Submit persisted messages once the batch before is on the bus.

        With the bus away they are kept for later: the histories fill all the same, and the events follow in order.
        """
        self._flush()
        if self._is_bus_up:
            self._publisher.submit(batch)
        else:
            self._keep([message.id for message, _ in batch])

    def _submit_notices(self) -> int:
        """Submit the oldest rows of the outbox, behind the messages that they may be about; returns how many."""
        if self._publisher.has_started:
            self._flush()
        if not self._is_bus_up:
            return 0
        notices = self._session.query(outbox.list_waiting, self._batch_size)
        self._publisher.submit_notices(notices)
        return len(notices)

    def _flush(self) -> None:
        """Wait until what was submitted is on the bus, and note that it is; or keep it for later if the bus is away."""
        if self._publisher.is_empty:
            return
        ids, notices = self._publisher.message_ids, self._publisher.notice_numbers
        outcome = self._publisher.flush()
        self._is_bus_up = outcome.is_on_bus
        if not self._is_bus_up:
            self._keep(ids)  # notices are in the outbox until they are forgotten
            return
        refused = outcome.refused
        if notices:
            self._session.query(outbox.forget, set(notices) - refused.notices.keys())
        self._set_aside(refused)

    def _keep(self, ids: Sequence[int]) -> None:
        self._session.query(unpublished.add, ids)

    def _set_aside(self, refused: RefusedEvents) -> None:
        if refused.messages:
            self._session.query(unpublished.set_aside, refused.messages)
        if refused.notices:
            self._session.query(outbox.set_aside, refused.notices)
