"""The persist lane: takes what was accepted, in order, into the histories, then publishes it.

One holder at a time, by an advisory lock of PostgreSQL; whoever does not get it goes home, because
the holder drains. One lane for everything, since two messages that reach one socket must be in order
whoever sent them (contract §2, Order), and their conversations may differ.
"""

import logging
import time
from collections.abc import Callable, Sequence

from storage.broker import BROADCASTS, SENDS
from storage.model.errors import PermanentError, TransientError
from storage.postgres import outbox
from storage.postgres.database import Session
from storage.postgres.messages import persistence, unpublished
from storage.postgres.messages.persistence import PersistedMessage
from storage.postgres.sends import due_work, persist_lane
from storage.postgres.sends.persist_lane import Claim, LaneState
from workers.publishing import Publisher, Refused, follow, note_delay, put_on_bus
from workers.services import Services

_log = logging.getLogger(__name__)

# How long a holder with nothing left to do stays, and how often it looks:
# a look costs less than a ring.
LINGER_SECONDS = 0.06
LOOK_SECONDS = 0.002


def drain(services: Services, *, now: Callable[[], float] = time.monotonic) -> int:
    """Persist and publish until nothing is due or the time is up; how many messages.

    Whatever dies or fails here, nothing is lost: a send is in `accepted` or in the histories, and
    what is in the histories and may not be published is in the claim or in `unpublished`.
    """
    deadline = now() + services.settings.drain.total_seconds()
    done = 0
    with services.database.session() as session:
        while (found := session.query(persist_lane.take_lane, services.name)) is not None:
            try:
                count = _Holder(session, services, now=now, deadline=deadline).work(found)
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
    """The holder of the lane: one session, one batch after the other.

    A batch is published while the next one is persisted (`Publisher`). It begins once the next batch is
    claimed: the claim names both until the bus has the first.
    """

    def __init__(
        self, session: Session, services: Services, *, now: Callable[[], float], deadline: float
    ) -> None:
        self._now = now
        self._deadline = deadline
        self._session = session
        self._services = services
        self._telemetry = services.telemetry
        self._batch_size = services.settings.persist_batch
        self._max_attempts = services.settings.max_attempts
        self._can_publish = True
        self._publisher = Publisher(services)

    def work(self, found: LaneState) -> int:
        # Whoever holds the lane next publishes after us, so nothing of ours may still be on its way.
        with self._publisher:
            if found.is_abandoned:
                self._recover(found)
            done = 0
            if found.has_unpublished or found.is_abandoned:
                done = self._publish_backlog()
            while self._has_work(claim := self._claim()):
                self._publisher.begin()
                done += self._persist(claim.ids) if claim.ids else 0
                done += self._take_outbox() if claim.has_outbox else 0
                if self._now() >= self._deadline:
                    break
                if len(claim.ids) < self._batch_size:  # else more is waiting, and is claimed first
                    self._publisher.begin()
                    self._linger()
            if claim.ids or not self._publisher.is_idle:
                self._settle()
                self._session.query(persist_lane.end_claim)
        return done

    def _claim(self) -> Claim:
        in_hand = self._publisher.in_hand
        return self._session.query(persist_lane.claim, self._batch_size, publishing=in_hand)

    def _has_work(self, claim: Claim) -> bool:
        return bool(claim.ids) or (claim.has_outbox and self._can_publish)

    def _linger(self) -> None:
        """Wait a little for the next send: under load one follows another, and a ring each costs more.

        What comes is seen within LOOK_SECONDS; a ring takes longer to arrive.
        """
        until = min(self._deadline, self._now() + LINGER_SECONDS)
        if self._publisher.notices_in_hand:
            self._settle()  # else they would be found again
        while not self._is_waiting() and self._now() < until:
            self._settle()
            time.sleep(LOOK_SECONDS)

    def _is_waiting(self) -> bool:
        return self._session.query(due_work.has_claimable_work, outbox=self._can_publish)

    def _recover(self, found: LaneState) -> None:
        # On the session that holds the lane: who has lost it must not judge, and does not.
        dead = self._session.query(
            persist_lane.recover_claim,
            holder_died=found.holder_died,
            max_attempts=self._max_attempts,
        )
        for id in dead:
            _log.error("Send %d failed for good: its workers died.", id)

    def _persist(self, ids: Sequence[int]) -> int:
        """Persist and publish `ids`; a batch that fails is split until the bad row is alone."""
        try:
            since = time.time()
            with self._telemetry.persist_seconds.time():
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
        self._telemetry.batch_size.observe(len(batch))
        note_delay(self._telemetry.accepted_to_persisted, batch)
        follow(self._services, "persist", batch, since=since)
        self._publish(batch)
        return len(batch)

    def _count_failure(self, id: int, error: PermanentError) -> None:
        self._telemetry.attempts_failed.inc()
        is_dead = self._session.query(
            persist_lane.record_failure, id, error=error.detail, max_attempts=self._max_attempts
        )
        level = logging.ERROR if is_dead else logging.WARNING
        _log.log(level, "Send %d failed: %s", id, error.detail)

    def _publish_backlog(self) -> int:
        """What was persisted and did not get published, first: order is kept."""
        done = 0
        while True:
            ids, batch = self._session.query(unpublished.find_due, self._batch_size)
            if not ids:
                return done
            try:
                refused = put_on_bus(self._services, batch)
            except TransientError as error:
                _log.warning("Not published, for now: %s", error.detail)
                self._telemetry.unpublished.inc()
                self._can_publish = False
                return done
            done += len(batch) - len(refused.messages)
            done_with = [id for id in ids if id not in refused.messages]
            self._session.query(unpublished.remove, done_with)
            self._set_aside(refused)

    def _take_outbox(self) -> int:
        """Have what ingest changed told, behind the messages that it may be about; how many events."""
        if self._publisher.has_begun:
            self._settle()
        if not self._can_publish:
            return 0
        notices = self._session.query(outbox.waiting, self._batch_size)
        self._publisher.add(notices)
        return len(notices)

    def _publish(self, batch: Sequence[PersistedMessage]) -> None:
        """Have the events of persisted messages put on the bus, once the batch before is there.

        Without the bus the histories still fill; the events follow later, in order.
        """
        self._settle()
        if self._can_publish:
            self._publisher.submit(batch)
        else:
            self._keep([message.id for message, _ in batch])

    def _settle(self) -> None:
        """Wait for what is to be published; keep it for later if the bus did not take it."""
        if self._publisher.is_idle:
            return
        ids, notices = self._publisher.in_hand, self._publisher.notices_in_hand
        outcome = self._publisher.flush()
        self._can_publish = outcome.is_on_bus
        if not self._can_publish:
            self._keep(ids)  # the outbox keeps its own
            return
        refused = outcome.refused
        if notices:
            self._session.query(outbox.forget, set(notices) - refused.notices.keys())
        self._set_aside(refused)

    def _keep(self, ids: Sequence[int]) -> None:
        self._session.query(unpublished.add, ids)

    def _set_aside(self, refused: Refused) -> None:
        if refused.messages:
            self._session.query(unpublished.set_aside, refused.messages)
        if refused.notices:
            self._session.query(outbox.set_aside, refused.notices)
